// Loaded before a kernel process: its clock is an hour ahead for a second, then an hour behind, and so on.
const real = Date.now
const jump = () => (Math.floor(real() / 1_000) % 2 === 0 ? 3_600_000 : -3_600_000)
const Clock = Date
globalThis.Date = class extends Clock {
  constructor(...given) {
    super(...(given.length === 0 ? [real() + jump()] : given))
  }
  static now() {
    return real() + jump()
  }
}

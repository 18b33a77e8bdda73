// Whether this process has so much to do that it is better to turn away than to take on: its event loop comes round too
// late. One sampler for all instances, for they share the one event loop.
import underPressure from '@fastify/under-pressure'
import Fastify from 'fastify'

const shortestSampleMs = 500

export interface Pressure {
  isHigh(): boolean
  close(): Promise<void>
}

/** `longestDelayMs` is the mean over twice as long, or half a second, twice in a row; 0 for never. */
export async function openPressure(longestDelayMs: number): Promise<Pressure> {
  const sampler = Fastify()
  if (longestDelayMs === 0) return { isHigh: () => false, close: () => sampler.close() }
  const sampleMs = Math.max(2 * longestDelayMs, shortestSampleMs)
  await sampler.register(underPressure, { maxEventLoopDelay: longestDelayMs, sampleInterval: sampleMs })
  await sampler.ready()
  // One sample may be a single long step, such as the start of the kernel, that is over by now.
  let lateInARow = 0
  const timer = setInterval(() => {
    lateInARow = sampler.isUnderPressure() ? lateInARow + 1 : 0
  }, sampleMs)
  timer.unref()
  return {
    isHigh: () => lateInARow > 1,
    async close() {
      clearInterval(timer)
      await sampler.close()
    },
  }
}

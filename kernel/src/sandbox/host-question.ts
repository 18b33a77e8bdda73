// What a host is asked while it is being started, one question at a time: `ready`, `loaded` and `described` answer it.

interface Asked {
  readonly resolve: (body: string) => void
  readonly reject: (error: Error) => void
  readonly deadline: NodeJS.Timeout
}

export class HostQuestion {
  #asked: Asked | undefined

  get isOpen(): boolean {
    return this.#asked !== undefined
  }

  ask(deadlineMs: number, onLate: () => void): Promise<string> {
    return new Promise((resolve, reject) => {
      const late = () => {
        this.reject(`did not load within ${deadlineMs} ms`)
        onLate()
      }
      this.#asked = { resolve, reject, deadline: setTimeout(late, deadlineMs) }
    })
  }

  /** False when nothing was asked. */
  resolve(body: string): boolean {
    const asked = this.#take()
    asked?.resolve(body)
    return asked !== undefined
  }

  /** False when nothing was asked. */
  reject(reason: string): boolean {
    const asked = this.#take()
    asked?.reject(new Error(reason))
    return asked !== undefined
  }

  #take(): Asked | undefined {
    const asked = this.#asked
    this.#asked = undefined
    clearTimeout(asked?.deadline)
    return asked
  }
}

// Whether this process has so much to do that it is better to turn away than to take on: its event loop comes round too
// late. One sampler for all instances, for they share the one event loop.
import underPressure from '@fastify/under-pressure'
import Fastify from 'fastify'

const sampleMs = 500

export interface Pressure {
  isHigh(): boolean
  close(): Promise<void>
}

/** `longestDelayMs` is the mean over half a second; 0 for never. */
export async function openPressure(longestDelayMs: number): Promise<Pressure> {
  const sampler = Fastify()
  if (longestDelayMs > 0)
    await sampler.register(underPressure, { maxEventLoopDelay: longestDelayMs, sampleInterval: sampleMs })
  await sampler.ready()
  return {
    isHigh: () => longestDelayMs > 0 && sampler.isUnderPressure(),
    close: () => sampler.close(),
  }
}

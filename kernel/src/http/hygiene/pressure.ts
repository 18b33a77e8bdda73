// Whether this process has so much to do that it is better to turn away than to take on: its event loop comes round too
// late. One sampler for all instances, for they share the one event loop.
import underPressure from '@fastify/under-pressure'
import Fastify from 'fastify'

/** At least; a loop that stood still for all of a sample counts as late without end, so a sample is no shorter than what is. */
const shortestSampleMs = 500

export interface Pressure {
  isHigh(): boolean
  close(): Promise<void>
}

/** `longestDelayMs` is the mean over as long, or half a second; 0 for never. */
export async function openPressure(longestDelayMs: number): Promise<Pressure> {
  const sampler = Fastify()
  if (longestDelayMs > 0)
    await sampler.register(underPressure, {
      maxEventLoopDelay: longestDelayMs,
      sampleInterval: Math.max(longestDelayMs, shortestSampleMs),
    })
  await sampler.ready()
  return {
    isHigh: () => longestDelayMs > 0 && sampler.isUnderPressure(),
    close: () => sampler.close(),
  }
}

// Finds the handler an invocation names on the plugin's declaration, calls it, and shapes its answer.
import { type Declaration, isCreated } from '@plinth/sdk'
import type { Handler } from '../protocol/envelope.ts'
import { apply, hasOwn, NativeError } from './primordials.ts'

type Run = (ctx: object, input: unknown) => unknown

function member<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && hasOwn(record, name) ? record[name] : undefined
}

/** Handlers take the ctx they inferred; here, where they are only names, nobody can say which that is. */
const untyped =
  (run: (...args: never[]) => unknown) =>
  (...args: unknown[]): unknown =>
    apply(run, undefined, args)

function runnerOf(spec: Declaration, handler: Handler): Run | undefined {
  switch (handler.kind) {
    case 'action': {
      const action = member(member(spec.actions, handler.entity), handler.action)
      if (typeof action?.run !== 'function') return undefined
      const run = untyped(action.run.bind(action))
      return async (ctx, given) => {
        const { record, input } = given as { record: unknown; input: unknown }
        const answer = await run(ctx, record, input)
        if (isCreated(answer)) return { created: answer.$created }
        return answer === undefined || answer === null ? {} : { changes: answer }
      }
    }
    case 'route':
    case 'service': {
      const one =
        handler.kind === 'route' ? member(spec.routes, handler.route) : member(spec.services, handler.service)
      return typeof one?.run === 'function' ? untyped(one.run.bind(one)) : undefined
    }
    case 'job': {
      const job = member(spec.jobs, handler.job)
      return typeof job?.run === 'function' ? untyped(job.run.bind(job)) : undefined
    }
    case 'hook': {
      const hooks = member(spec.hooks, handler.entity)
      if (typeof hooks?.validate !== 'function') return undefined
      const validate = untyped(hooks.validate.bind(hooks))
      return async (ctx, record) => {
        await validate(ctx, record)
        return null
      }
    }
    case 'event': {
      const one = member(spec.on, handler.event)
      const run = typeof one === 'object' ? one.run : one
      if (typeof run !== 'function') return undefined
      const subscriber = untyped(run.bind(one))
      return async (ctx, event) => {
        await subscriber(ctx, event)
        return null
      }
    }
  }
}

export function handlerOf(spec: Declaration, handler: Handler): Run {
  const run = runnerOf(spec, handler)
  if (!run) throw new NativeError('The plugin has no such handler.')
  return run
}

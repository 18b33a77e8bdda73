// Answers for every module that is installed and served to nobody: disabled, being removed, or impossible to load.
import { errors } from '../errors.ts'
import { createInstance, type Instance } from './create-instance.ts'
import { moduleOfPath } from './front-door.ts'

export const createUnavailableInstance = (options: Parameters<typeof createInstance>[0]): Promise<Instance> =>
  createInstance(options, (app) => {
    app.addHook('onRequest', async (request) => {
      throw errors.moduleUnavailable({ module: moduleOfPath(request.url) ?? '' })
    })
  })

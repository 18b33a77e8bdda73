// Serializers of answers, made once per schema. Hundreds of routes answer the same problems, and making a serializer for
// each of them is what a kernel would do most when it starts.
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'

type Build = ReturnType<typeof SerializerSelector>

/** For `schemaController.compilersFactory`. A schema is the same where it is the same object. */
export function sharedSerializers(): Build {
  const build = SerializerSelector()
  return (...of) => {
    const compile = build(...of)
    const made = new WeakMap<object, ReturnType<typeof compile>>()
    return (route) => {
      const { schema } = route
      if (typeof schema !== 'object' || schema === null) return compile(route)
      const serializer = made.get(schema) ?? compile(route)
      made.set(schema, serializer)
      return serializer
    }
  }
}

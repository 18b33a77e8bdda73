// Shapes of /v1/tenant/cors.
import Type, { type Static } from 'typebox'

const origins = Type.Array(Type.String({ minLength: 8, maxLength: 300 }), {
  maxItems: 50,
  description: 'Such as https://app.example.com: https, or http on this machine.',
})

export const corsBody = Type.Object({ origins }, { additionalProperties: false })
export type CorsBody = Static<typeof corsBody>
export const corsShape = Type.Object({ origins, version: Type.Integer() })

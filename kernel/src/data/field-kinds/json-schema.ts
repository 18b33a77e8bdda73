// JSON Schema 2020-12, as OpenAPI 3.1 has it, for records, inputs and answers made of declared fields.
import type { FieldSpec, FieldSpecs } from '@plinth/sdk'
import type { JsonSchema, SchemaFor } from './field-kind.ts'
import { fieldKinds } from './kinds.ts'

/** create, patch: what a client sends of a record. input: of an action or route. record: what it gets. output: an answer. */
export type SchemaMode = 'create' | 'patch' | 'input' | 'record' | 'output'

const person: JsonSchema = { type: 'string', readOnly: true }
const moment: JsonSchema = { type: 'string', format: 'date-time', readOnly: true }
const base: Readonly<Record<string, JsonSchema>> = {
  id: { type: 'string', format: 'uuid', readOnly: true },
  version: { type: 'integer', minimum: 1, readOnly: true },
  createdAt: moment,
  createdBy: person,
  updatedAt: moment,
  updatedBy: person,
}

export function jsonSchemaForFields(fields: FieldSpecs, mode: SchemaMode): JsonSchema {
  if (mode === 'input') return schemaOf(fields, 'input')
  if (mode === 'output') return schemaOf(fields, 'output')
  if (mode === 'record') {
    const record = objectSchema(fields, 'output', () => false)
    return {
      ...record,
      description: 'Without the fields that the caller may not read.',
      properties: { ...base, ...record.properties },
      required: Object.keys(base),
    }
  }
  const settable = Object.fromEntries(
    Object.entries(fields).filter(([, spec]) => spec.kind !== 'sequence' && spec.kind !== 'state'),
  )
  if (mode === 'create') return schemaOf(settable, 'input')
  const patch = objectSchema(settable, 'input', () => false)
  const properties = Object.fromEntries(
    Object.entries(patch.properties).map(([name, schema]) => [
      name,
      settable[name]?.optional ? { anyOf: [schema, { type: 'null' }] } : schema,
    ]),
  )
  return { type: 'object', properties, additionalProperties: false }
}

const isAlwaysShown = (spec: FieldSpec): boolean => !spec.optional && spec.at === undefined
const mustBeSent = (spec: FieldSpec): boolean => !spec.optional && spec.default === undefined

function objectSchema(fields: FieldSpecs, purpose: SchemaFor, isRequired: (spec: FieldSpec) => boolean) {
  const properties: Record<string, JsonSchema> = {}
  const required: string[] = []
  for (const [name, spec] of Object.entries(fields)) {
    const schema = fieldKinds[spec.kind].jsonSchema(spec, purpose, schemaOf)
    const showDefault = purpose === 'input' && spec.default !== undefined
    properties[name] = showDefault ? { ...schema, default: spec.default } : schema
    if (isRequired(spec)) required.push(name)
  }
  return { type: 'object', properties, required, additionalProperties: false }
}

const schemaOf = (fields: FieldSpecs, purpose: SchemaFor): JsonSchema =>
  objectSchema(fields, purpose, purpose === 'input' ? mustBeSent : isAlwaysShown)

// What an operation does, in words for the person who decides about an upgrade, and how it is undone.
import { type Operation, placeName } from './operations.ts'

export function operationSentence(operation: Operation): string {
  const name = 'field' in operation ? placeName(operation) : operation.entity
  const index = 'fields' in operation ? `the index of '${name}' on ${operation.fields.join(', ')}` : ''
  switch (operation.op) {
    case 'createEntity':
      return `Makes the tables of the entity '${name}'.`
    case 'renameEntity':
      return `Renames the entity '${name}' to '${operation.to}'.`
    case 'retireEntity':
      return `Stops using the entity '${name}'; its records stay.`
    case 'restoreEntity':
      return `Uses the retired entity '${name}' again.`
    case 'dropEntity':
      return `Deletes the entity '${name}' with all its records, for good.`
    case 'addField':
      return `Adds the field '${name}'.`
    case 'renameField':
      return `Renames the field '${name}' to '${operation.to}'.`
    case 'retireField':
      return `Stops using the field '${name}'; its values stay.`
    case 'restoreField':
      return `Uses the retired field '${name}' again.`
    case 'dropField':
      return `Deletes the field '${name}' with all its values, for good.`
    case 'makeOptional':
      return `Lets the field '${name}' be empty.`
    case 'makeRequired':
      return `Lets the field '${name}' no longer be empty, once it is proven that none is.`
    case 'addUnique':
      return `Lets no two records of a tenant have the same '${name}', once it is proven that none have.`
    case 'dropUnique':
      return `Lets records of a tenant have the same '${name}'.`
    case 'fillField':
      return `Gives '${name}' a value where there is none, tenant by tenant.`
    case 'backfill':
      return `Changes records of '${name}', tenant by tenant.`
    case 'addIndex':
      return `Makes ${index}.`
    case 'retireIndex':
      return `Needs ${index} no longer.`
    case 'restoreIndex':
      return `Needs ${index} again.`
    case 'dropIndex':
      return `Drops ${index}.`
  }
}

/** The operation of a later migration that leads back; undefined when what it did cannot be undone. */
export function wayBack(operation: Operation): string | undefined {
  switch (operation.op) {
    case 'createEntity':
      return 'retireEntity'
    case 'renameEntity':
    case 'renameField':
      return operation.op
    case 'retireEntity':
      return 'restoreEntity'
    case 'restoreEntity':
      return 'retireEntity'
    case 'addField':
    case 'restoreField':
      return 'retireField'
    case 'retireField':
      return 'restoreField'
    case 'makeOptional':
      return 'makeRequired'
    case 'makeRequired':
      return 'makeOptional'
    case 'addUnique':
      return 'dropUnique'
    case 'dropUnique':
      return 'addUnique'
    case 'addIndex':
    case 'restoreIndex':
      return 'retireIndex'
    case 'retireIndex':
      return 'restoreIndex'
    case 'dropIndex':
      return 'addIndex'
    case 'dropEntity':
    case 'dropField':
    case 'fillField':
    case 'backfill':
      return undefined
  }
}

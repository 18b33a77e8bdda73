// One rule about a plugin's schema, as a query for what breaks it.

export interface CatalogueRules {
  readonly schema: string
  /** The login that must own everything in it. */
  readonly owner: string
  /** The only other role with rights in it. */
  readonly role: string
  /** The login that takes the role on. */
  readonly data: string
}

export interface CatalogueRule {
  /** $1, $2 ... of the text. */
  readonly given: readonly (keyof CatalogueRules | 'policy')[]
  /** Gives a column `wrong`, a row for each thing that is. */
  readonly text: string
}

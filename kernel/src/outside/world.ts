// The world as the engine meets it: names have addresses, and addresses are dialled. Tests give one of their own, for
// no setting can.
import { lookup } from 'node:dns/promises'

export interface World {
  /** Every address a name has. */
  lookup(name: string): Promise<readonly string[]>
  /** Where to dial for an address that passed the check. */
  roadTo(address: string, port: number): { readonly address: string; readonly port: number }
  /** Whom to trust instead of the certificate authorities that Node carries. */
  readonly authorities?: string
}

export const realWorld: World = Object.freeze({
  lookup: async (name: string) =>
    (await lookup(name, { all: true, order: 'ipv4first' })).map(({ address }) => address),
  roadTo: (address: string, port: number) => ({ address, port }),
})

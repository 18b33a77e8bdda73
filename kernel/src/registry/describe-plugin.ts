// The manifest of a plugin: what its code says it is, asked inside the sandbox and not believed before it is checked.
import { checkManifest, type Manifest } from '@plinth/sdk'
import { nameCollisions, storageShape } from '../data/plugin-migrations/storage-shape.ts'
import type { PluginHost } from '../sandbox/plugin-host.ts'
import { checkTexts } from './check-texts.ts'
import { parseManifest } from './manifest-schema.ts'

/** @throws Error with half a sentence: `has a manifest that does not parse: ...` */
export async function describePlugin(host: Pick<PluginHost, 'describe'>): Promise<Manifest> {
  const parsed = parseManifest(await host.describe())
  if ('problem' in parsed) throw new Error(`has a manifest that does not parse: ${parsed.problem}`)
  const { manifest } = parsed
  const impossible = [
    ...checkManifest(manifest),
    ...nameCollisions(storageShape(manifest)),
    ...checkTexts(manifest),
  ]
  if (impossible.length > 0) throw new Error(`cannot work: ${impossible.join(' ')}`)
  return manifest
}

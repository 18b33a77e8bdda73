// Attacks with packages, each published to a real registry and asked in real sandbox hosts: what refuses it, and with that
// wall off, that it gets through.
import t from 'tap'
import { attackWith } from '../support/package-lab.ts'
import { archives, contents, manifests } from './package-attacks.fixture.ts'

t.test('an archive', (t) => attackWith(t, archives))
t.test('the contents of a package', (t) => attackWith(t, contents))
t.test('a manifest', (t) => attackWith(t, manifests))

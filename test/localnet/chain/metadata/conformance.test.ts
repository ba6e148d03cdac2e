import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Metadata, TypeRegistry } from '@polkadot/types'
import type { RuntimeVersion } from '@polkadot/types/interfaces'
import { expect, test } from 'vitest'
import { createRuntime, dialectOf } from '../../../../src/localnet/chain/runtime/index.js'
import { type Facts, factsOf } from './facts.js'

const folder = join(process.env.TARGON_CONFORMANCE_DIR ?? 'absent', 'chain')
const files = existsSync(folder) ? readdirSync(folder).filter((name) => /\.(scale|hex)$/.test(name)) : []

/** Intended differences from the real runtime, and why. */
const INTENDED: Readonly<Record<string, string>> = {
  'constant Timestamp.MinimumPeriod': 'half the block time, which is an option of the chain',
  'storage SubtensorModule.MaxAllowedUids':
    'the default changed between runtimes, and the genesis sets the value',
  'storage Commitments.CommitmentOf':
    'spec 461 added a variant at the end, and the chain stores no commitments',
}

/** Differences from a build for local networks, which has short blocks and epochs. */
const FAST_BLOCKS: Readonly<Record<string, string>> = {
  'storage SubtensorModule.Tempo': 'its default is 10 instead of 360',
}

function readMetadata(name: string): Uint8Array {
  const raw = readFileSync(join(folder, name))
  if (name.endsWith('.scale')) return new Uint8Array(raw)
  const answer = Buffer.from(raw.toString('utf8').trim().replace(/^0x/, ''), 'hex')
  // `Option<OpaqueMetadata>`: an option byte, a compact length and the metadata, which starts with "meta".
  return new Uint8Array(answer.subarray(answer.indexOf('meta')))
}

function specVersionOf(bytes: Uint8Array): number {
  const registry = new TypeRegistry()
  const metadata = new Metadata(registry, bytes)
  registry.setMetadata(metadata)
  const system = metadata.asLatest.pallets.find((pallet) => pallet.name.toString() === 'System')
  const constant = system?.constants.find((candidate) => candidate.name.toString() === 'Version')
  if (!constant) throw new Error('metadata has no version constant')
  return registry
    .createType<RuntimeVersion>('RuntimeVersion', constant.value.toU8a(true))
    .specVersion.toNumber()
}

function differencesOf(ours: Facts, real: Facts, intended: Readonly<Record<string, string>>): string[] {
  return [...ours].flatMap(([name, fact]) =>
    name in intended || real.get(name) === fact ? [] : [`${name}: ${fact} instead of ${real.get(name)}`],
  )
}

test.each(files)('the metadata of the development chain agrees with %s', (name) => {
  const bytes = readMetadata(name)
  const dialect = dialectOf(specVersionOf(bytes))
  const runtime = createRuntime(dialect, { blockTimeMs: 1000, blockHashCount: 2400 })
  const version = new Metadata(new TypeRegistry(), bytes).version === 16 ? 16 : 15
  const ours = factsOf(runtime.metadata[version])
  expect(ours.size).toBeGreaterThan(250)
  const intended = name.startsWith('localnet') ? { ...INTENDED, ...FAST_BLOCKS } : INTENDED
  expect(differencesOf(ours, factsOf(bytes), intended)).toEqual([])
})

test.skipIf(process.env.TARGON_CONFORMANCE_DIR === undefined)(
  'recorded metadata exists (needs TARGON_CONFORMANCE_DIR)',
  () => {
    expect(files.length).toBeGreaterThan(0)
  },
)

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { connectSubtensor } from '../../../src/chain/index.js'
import { openRpc } from '../../../src/chain/rpc.js'
import { loadRuntime } from '../../../src/chain/runtime.js'
import { systemClock } from '../../../src/kernel/clock.js'
import { readMetadataFile, startRecordedNode } from '../../support/recorded-node.js'
import type { Checker } from '../checker.js'

/** Responses of a real node by method and parameters (JSON), as recorded by the SDK's tests. */
const recordedSchema = z.object({
  metagraph: z.object({
    chain_getHeader: z.record(z.string(), z.object({ result: z.looseObject({ number: z.string() }) })),
    state_getRuntimeVersion: z.record(
      z.string(),
      z.object({ result: z.looseObject({ specVersion: z.number() }) }),
    ),
    state_call: z.record(z.string(), z.object({ result: z.string() })),
  }),
})

/** A recorded metagraph, read by the client and compared with the two other ways the node returned it. */
export const checker: Checker = {
  vectors: 'recorded-metagraph',
  rules: {},
  cases: ({ json }) => {
    const parsed = recordedSchema.safeParse(json)
    return parsed.success ? [parsed.data.metagraph] : undefined
  },
  async check(recording: z.infer<typeof recordedSchema>['metagraph']) {
    const runtimeVersion = Object.values(recording.state_getRuntimeVersion)[0]?.result
    const header = Object.values(recording.chain_getHeader)[0]?.result
    const metadata = findMetadata(runtimeVersion?.specVersion ?? 0)
    if (!runtimeVersion || !header || !metadata)
      return { agrees: false, detail: 'metadata of its spec is missing' }
    const recorded = new Map(
      Object.entries(recording.state_call).map(([key, { result }]) => [
        z.array(z.unknown()).parse(JSON.parse(key))[0],
        result,
      ]),
    )
    const lite = recorded.get('NeuronInfoRuntimeApi_get_neurons_lite')
    // a selective response may contain more than requested; the recorded one has every field
    const selective = recorded.get('SubnetInfoRuntimeApi_get_selective_mechagraph')
    const state = recorded.get('SubnetInfoRuntimeApi_get_subnet_state')
    if (!lite || !selective || !state) return { agrees: false, detail: 'a recorded call is missing' }
    const node = await startRecordedNode({
      metadata: metadata.metadata,
      metadataVersion: metadata.version,
      runtimeVersion,
      header,
      calls: {
        SubnetInfoRuntimeApi_get_selective_metagraph: selective,
        SubnetInfoRuntimeApi_get_subnet_state: state,
        NeuronInfoRuntimeApi_get_neurons_lite: lite,
      },
    })
    const end = new AbortController()
    const quiet = { info: () => {}, warn: () => {}, error: () => {} }
    const chain = await connectSubtensor(
      { endpoints: [node.url] },
      { clock: systemClock, log: quiet, signal: end.signal },
    )
    try {
      const { neurons, block } = await chain.metagraph(1)
      const library = await libraryView(node.url, lite, state)
      const problems = [
        ...(block === Number(header.number) ? [] : [`block ${block}`]),
        ...(neurons.length === library.length ? [] : [`${neurons.length} neurons, not ${library.length}`]),
        ...neurons.flatMap((neuron, uid) => {
          const other = library[uid]
          const ours = [
            neuron.hotkey,
            neuron.coldkey,
            neuron.validatorPermit,
            neuron.lastUpdateBlock,
            Math.round(neuron.incentive * 65_535),
            neuron.emissionRao,
            Math.round(neuron.stakeTao * 1e9),
            Math.round(neuron.alphaStake * 1e9),
            neuron.axon?.port ?? 0,
          ]
          const same = other !== undefined && ours.every((value, index) => sameValue(value, other[index]))
          return same ? [] : [`uid ${uid}: ${JSON.stringify(ours)} but ${JSON.stringify(other)}`]
        }),
      ]
      return problems.length === 0
        ? { agrees: true }
        : { agrees: false, detail: problems.slice(0, 3).join('; ') }
    } finally {
      await chain.close()
      await node.close()
    }
  },
}

/** Large amounts of rao exceed the exact range of a double. */
function sameValue(a: unknown, b: unknown): boolean {
  return typeof a === 'number' && typeof b === 'number' ? Math.abs(a - b) <= 1e-9 * Math.abs(b) : a === b
}

/** The same subnet, read by other runtime calls and the library's own codecs. */
async function libraryView(url: string, lite: string, state: string): Promise<unknown[][]> {
  const rpc = await openRpc(url, { clock: systemClock, rpcTimeoutMs: 20_000 })
  const { types } = await loadRuntime(rpc, { clock: systemClock, rpcTimeoutMs: 20_000 })
  try {
    const output = (trait: string, method: string) => {
      const found = types.latest.apis
        .find(({ name }) => name.toString() === trait)
        ?.methods.find(({ name }) => name.toString() === method)
      return types.registry.createLookupType(found?.output ?? 0)
    }
    const rows = types.registry
      .createTypeUnsafe(output('NeuronInfoRuntimeApi', 'get_neurons_lite'), [lite])
      .toJSON()
    const totals = types.registry
      .createTypeUnsafe(output('SubnetInfoRuntimeApi', 'get_subnet_state'), [state])
      .toJSON()
    // biome-ignore lint/suspicious/noExplicitAny: JSON of a foreign codec
    const [neurons, stakes] = [rows, totals] as any[]
    return neurons.map((row: Record<string, never>, uid: number) => {
      const r = row as Record<string, unknown>
      const axon = r.axonInfo as { ip: number | string; port: number }
      return [
        r.hotkey,
        r.coldkey,
        r.validatorPermit,
        r.lastUpdate,
        r.incentive,
        Number(r.emission),
        Number(stakes.totalStake[uid]),
        Number(stakes.alphaStake[uid]),
        BigInt(axon.ip) === 0n ? 0 : axon.port,
      ]
    })
  } finally {
    rpc.close()
  }
}

function findMetadata(specVersion: number) {
  const folder = join(process.env.TARGON_CONFORMANCE_DIR ?? '', 'chain')
  const name = readdirSync(folder).find(
    (file) => /\.(hex|scale)$/.test(file) && file.includes(String(specVersion)),
  )
  return name ? readMetadataFile(readFileSync(join(folder, name))) : undefined
}

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { openRpc } from '../../../src/chain/rpc.js'
import { loadRuntime } from '../../../src/chain/runtime.js'
import { signingBytes } from '../../../src/chain/signed-extrinsic.js'
import { systemClock } from '../../../src/kernel/clock.js'
import { initSr25519, verify } from '../../../src/kernel/sr25519.js'
import { readMetadataFile, startRecordedNode } from '../../support/recorded-node.js'
import type { Checker } from '../checker.js'

const schema = z.object({
  genesis: z.string(),
  specVersion: z.number(),
  transactionVersion: z.number(),
  era: z.literal('immortal'),
  nonce: z.number(),
  tip: z.number(),
  extrinsic: z.string(),
})

/** Offsets in a V4 extrinsic: length (2), version, address kind, key, signature kind, signature; era to mode 4. */
const KEY_AT = 4
const SIGNATURE_AT = KEY_AT + 32 + 1
const CALL_AT = SIGNATURE_AT + 64 + 4

/** The signature of a real extrinsic must verify over the bytes we would sign for the same call and state. */
export const checker: Checker = {
  vectors: 'signed-extrinsic',
  rules: {},
  cases: ({ json }) => {
    const parsed = schema.safeParse(json)
    return parsed.success ? [parsed.data] : undefined
  },
  async check(recorded: z.infer<typeof schema>) {
    await initSr25519()
    const bytes = Buffer.from(recorded.extrinsic.slice(2), 'hex')
    const node = await startRecordedNode({
      ...newestMetadata(),
      runtimeVersion: runtimeVersion(recorded),
      header: {},
    })
    const rpc = await openRpc(node.url, { clock: systemClock, rpcTimeoutMs: 20_000 })
    try {
      const runtime = await loadRuntime(rpc, { clock: systemClock, rpcTimeoutMs: 20_000 })
      const signed = signingBytes(runtime, {
        genesisHash: recorded.genesis,
        blockHash: recorded.genesis,
        era: '0x00',
        nonce: recorded.nonce,
        tip: recorded.tip,
        specVersion: recorded.specVersion,
        transactionVersion: recorded.transactionVersion,
        method: `0x${bytes.subarray(CALL_AT).toString('hex')}`,
      })
      const signature = bytes.subarray(SIGNATURE_AT, SIGNATURE_AT + 64)
      const agrees = verify(signed, signature, bytes.subarray(KEY_AT, KEY_AT + 32))
      return agrees ? { agrees } : { agrees, detail: `signed ${Buffer.from(signed).toString('hex')}` }
    } finally {
      rpc.close()
      await node.close()
    }
  },
}

function runtimeVersion({ specVersion, transactionVersion }: z.infer<typeof schema>) {
  return {
    specName: 'node-subtensor',
    implName: 'node-subtensor',
    authoringVersion: 1,
    specVersion,
    implVersion: 1,
    // Core and Metadata, which clients use to find the newest metadata version
    apis: [
      ['0xdf6acb689907609b', 5],
      ['0x37e397fc7c91f5e4', 2],
    ],
    transactionVersion,
    stateVersion: 1,
  }
}

function newestMetadata() {
  const folder = join(process.env.TARGON_CONFORMANCE_DIR ?? '', 'chain')
  const names = readdirSync(folder).filter((name) => name.endsWith('.scale'))
  const found = readMetadataFile(readFileSync(join(folder, names.sort().at(-1) ?? '')))
  if (!found) throw new Error('no metadata file')
  return { metadata: found.metadata, metadataVersion: found.version }
}

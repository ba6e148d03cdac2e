import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeDevelopmentWallet } from '../../src/wallet/index.js'
import { startNetwork } from '../localnet/chain/client.js'
import { BTCLI_FORMS } from '../support/btcli-forms.js'

const run = promisify(execFile)

/** Made by .ci/install-python-clients.sh: a virtual environment per version. */
const clients = process.env.TARGON_TEST_PYTHON_CLIENTS ?? ''
const pythonOf = (name: string) => join(clients, name, 'bin', 'python')
const TIMEOUT_MS = 120_000

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'python-clients-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A private home, and no variables of the SDK. */
function environment() {
  return { PATH: process.env.PATH ?? '', HOME: folder, COLUMNS: '200', NO_COLOR: '1' }
}

describe.each([
  ['10.5.0', 425],
  ['11.3.0', 475],
] as const)('bittensor %s (set TARGON_TEST_PYTHON_CLIENTS)', (version, specVersion) => {
  test.skipIf(!existsSync(pythonOf(version)))(
    'reads the metagraph, announces an axon and sets weights on the development chain',
    { timeout: TIMEOUT_MS },
    async () => {
      const network = await startNetwork({ count: 2, sealing: 'interval', blockTimeMs: 250, specVersion })
      try {
        const seeds = ['validator', 'miner'].map((name, uid) => ({ name, seed: Buffer.alloc(32, uid + 1) }))
        await writeDevelopmentWallet(folder, 'dev', seeds, network.neurons[0]?.cold.publicKey)
        const script = join(import.meta.dirname, 'python', 'client.py')
        const { stdout } = await run(pythonOf(version), [script, network.url, folder, version], {
          env: environment(),
          timeout: TIMEOUT_MS,
        })
        const result = /^RESULT (.*)$/m.exec(stdout)?.[1] ?? 'null'
        expect(JSON.parse(result)).toEqual({ neurons: 2, served: true, weights: true })
      } finally {
        await network.close()
      }
    },
  )
})

describe.each(['btcli-9', '11.3.0'])('btcli of %s (set TARGON_TEST_PYTHON_CLIENTS)', (name) => {
  test.skipIf(!existsSync(pythonOf(name))).each(Object.entries(BTCLI_FORMS))(
    'takes %s with the flags that advice uses',
    { timeout: TIMEOUT_MS },
    async (command, { flags }) => {
      const values = flags.flatMap((flag) => [flag, flag === '--netuid' ? '4' : 'x'])
      const program = join(clients, name, 'bin', 'btcli')
      const help = run(program, [...command.split(' '), ...values, '--help'], { env: environment() })
      await expect(help).resolves.toMatchObject({ stdout: expect.stringContaining('Usage: btcli') })
    },
  )
})

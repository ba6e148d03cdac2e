import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeDevelopmentWallet } from '../../src/wallet/index.js'
import { startNetwork } from '../localnet/chain/client.js'
import { BTCLI_FORMS } from '../support/btcli-forms.js'
import { needsPythonClient, runPython } from '../support/python-clients.js'

const TIMEOUT_MS = 120_000

let home = ''
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'python-clients-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

function resultOf(version: string, script: string, ...args: readonly string[]): Promise<unknown> {
  return runPython({ version, script, arguments: args, home, timeoutMs: TIMEOUT_MS })
}

describe.each([
  ['8.5.1', 217],
  ['10.5.0', 475],
  ['11.3.0', 475],
] as const)('bittensor %s', (version, specVersion) => {
  needsPythonClient(version)

  test(`reads the metagraph, announces an axon and sets weights at spec ${specVersion}`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const network = await startNetwork({ count: 2, sealing: 'interval', blockTimeMs: 250, specVersion })
    try {
      const seeds = ['validator', 'miner'].map((name, uid) => ({ name, seed: Buffer.alloc(32, uid + 1) }))
      await writeDevelopmentWallet(home, 'dev', seeds, network.neurons[0]?.cold.publicKey)
      const result = await resultOf(version, 'client.py', network.url, home, version)
      expect(result).toEqual({ neurons: 2, served: true, weights: true })
    } finally {
      await network.close()
    }
  })
})

describe.each([
  ['9.23.2', '10.5.0'],
  ['11.3.0', '11.3.0'],
] as const)('btcli %s', (_, version) => {
  needsPythonClient(version)

  // One process for all commands: its start takes seconds.
  test('takes the flags that advice uses', { timeout: TIMEOUT_MS }, async () => {
    const commands = Object.entries(BTCLI_FORMS).map(([command, { flags }]) => [
      ...command.split(' '),
      ...flags.flatMap((flag) => [flag, flag === '--netuid' ? '4' : 'x']),
    ])
    const help = (command: string) => expect.stringContaining(`Usage: btcli ${command}`)
    const expected = Object.keys(BTCLI_FORMS).map(help)
    expect(await resultOf(version, 'flags.py', JSON.stringify(commands))).toEqual(expected)
  })
})

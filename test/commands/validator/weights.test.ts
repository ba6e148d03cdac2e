import { createServer, type Server } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import ValidatorWeights from '../../../src/commands/validator/weights.js'
import { type DevelopmentChain, startDevelopmentChain } from '../../../src/localnet/chain/index.js'
import { runCommand } from '../../support/cli.js'
import { hotkeyOf } from '../../support/hotkeys.js'

let chain: DevelopmentChain | undefined
const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  await chain?.close()
  chain = undefined
})

/** A development chain whose subnet is not the default one, and the status of a validator on it. */
async function startValidatorStatus(changes: Readonly<Record<string, unknown>> = {}): Promise<string[]> {
  const [validator, miner] = [await hotkeyOf(1), await hotkeyOf(2)]
  const keys = ({ publicKey }: { publicKey: Uint8Array }) => ({ hotkey: publicKey, coldkey: publicKey })
  chain = await startDevelopmentChain({ netuid: 17, neurons: [keys(validator), keys(miner)] })
  const miners = [{ uid: 1, hotkey: miner.address, score: 5 }].map((one) => ({
    ...{ ...one, models: [], verdicts: { verified: 0, inconclusive: 0, failed: {} }, last: null },
    meanTokensPerSecond: 0,
  }))
  const status = {
    ...{ role: 'validator', uid: 0, hotkey: validator.address, block: 1, epoch: { index: 0, nextBlock: 30 } },
    ...{ models: [], engines: [], rounds: 1, weights: null, miners },
    chain: {
      network: 'local',
      endpoint: chain.url,
      genesisHash: `0x${Buffer.from(chain.chain.genesisHash).toString('hex')}`,
      netuid: 17,
      ...changes,
    },
  }
  const server = createServer((_, response) => response.end(JSON.stringify(status))).listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  return ['--metrics.port', String(typeof address === 'object' && address ? address.port : 0)]
}

it('learns chain and subnet from the running validator', async () => {
  const { status, result, stderr } = await runCommand(ValidatorWeights, [
    '--json',
    ...(await startValidatorStatus()),
  ])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(result).toMatchObject({ validatorUid: 0, weights: [{ uid: 1, weightU16: 65_535, onChainU16: 0 }] })
})

it.each([
  ['another subnet', ['--netuid', '5'], {}, /VALIDATOR_ELSEWHERE.*validates subnet 17, not 5\./],
  [
    'another chain',
    [],
    { genesisHash: `0x${'11'.repeat(32)}` },
    /VALIDATOR_ELSEWHERE.*uses another chain than/,
  ],
])('refuses %s than that of the validator', async (_, flags, changes, message) => {
  const { status, stderr } = await runCommand(ValidatorWeights, [
    ...(await startValidatorStatus(changes)),
    ...flags,
  ])
  expect(status).toBe(2)
  expect(stderr).toMatch(message)
})

import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { addressOf, initSr25519, pairFromSeed } from '../../src/kernel/index.js'
import { deriveSecret } from '../../src/localnet/network/index.js'
import { type CliProcess, runCli, startCli } from '../support/cli-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const MODEL = 'targon-dev/small-a'
/** Of the honest miners, by the order of the localnet's cast. */
const UIDS = { fast: 1, medium: 2 }
const folder = temporaryFolder('hub')
const running: CliProcess[] = []

const created = z.object({ secret: z.string() })
const validatorStatus = z.object({
  weights: z.object({ entries: z.array(z.object({ uid: z.number(), weightU16: z.number() })) }).nullable(),
  miners: z.array(
    z.object({
      hotkey: z.string(),
      score: z.number(),
      verdicts: z.object({ verified: z.number() }),
      evidence: z.array(z.object({ level: z.string() })).default([]),
    }),
  ),
})
const hubStatus = z.object({
  url: z.string(),
  records: z.object({ rows: z.number() }),
  miners: z.array(z.object({ uid: z.number(), hotkey: z.string() })),
})

const hotkeysByName = (async () => {
  await initSr25519()
  const addressOfKey = (name: string) => addressOf(pairFromSeed(deriveSecret('localnet', name)).publicKey)
  return { cheat: addressOfKey('cheat-two-faced'), honest: addressOfKey('honest-fast') }
})()

let client: OpenAI
let hubStatusUrl: string
let validatorArguments: readonly string[]
let honest: CliProcess

function start(...argv: string[]): CliProcess {
  const cli = startCli([...argv, '--exit-with-stdin'])
  running.push(cli)
  return cli
}

/** Starts a role and resolves with the address of its status server. */
async function startRole(...argv: string[]): Promise<{ cli: CliProcess; statusUrl: string }> {
  const cli = start(...argv)
  let statusUrl = ''
  cli.child.on('message', (message) => {
    statusUrl = z.object({ statusUrl: z.string() }).safeParse(message).data?.statusUrl ?? statusUrl
  })
  await cli.ready()
  return { cli, statusUrl }
}

const stateOf = (hotkey: string) => [
  ...['--wallet.name', 'localnet', '--wallet.hotkey', hotkey],
  ...['--logging.logging_dir', join(folder, 'neurons')],
]

/** The chain and the engines, in the order in which they were asked for. */
function endpointsOf(cli: CliProcess): { readonly chain: string; readonly engines: readonly string[] } {
  const lines = cli
    .stdout()
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  const parsed = lines.map((line) => z.object({ kind: z.string(), url: z.string() }).parse(JSON.parse(line)))
  const of = (kind: string) => parsed.filter((part) => part.kind === kind).map(({ url }) => url)
  return { chain: of('chain')[0] ?? '', engines: of('engine') }
}

const ENGINES = [`honest=${MODEL}`, `honest@120=${MODEL}`, `two-faced@120=${MODEL}`]

beforeAll(async () => {
  const ports = ['--chain.port', '0', '--engine.port', '0', '--chain.block-time', '500']
  const served = ENGINES.flatMap((engine) => ['--engine.serve', engine])
  const parts = start('localnet', '--only', 'chain,engine', '--hub', '--dir', folder, ...ports, ...served)
  await parts.said('Press Ctrl-C')
  const { chain, engines } = endpointsOf(parts)
  const [reference = '', honestEngine = '', twoFaced = ''] = engines
  const node = (hotkey: string) => [
    ...['--subtensor.network', 'local', '--subtensor.chain_endpoint', chain, '--metrics.port', '0'],
    ...['--wallet.path', join(folder, 'wallets'), ...stateOf(hotkey)],
  ]
  const startMiner = async (hotkey: string, engine: string) => {
    const axon = ['--axon.ip', '127.0.0.1', '--axon.port', '0', '--axon.external_ip', '127.0.0.1']
    return (await startRole('miner', 'start', ...node(hotkey), ...axon, '--model-endpoint', `${engine}/v1`))
      .cli
  }
  const key = await runCli(['hub', 'keys', 'create', 'e2e', ...stateOf('hub'), '--json'])
  const { secret } = created.parse(JSON.parse(key.stdout))
  const started = await Promise.all([
    startMiner('honest-fast', honestEngine),
    startMiner('honest-medium', honestEngine),
    startMiner('cheat-two-faced', twoFaced),
  ])
  honest = started[1]
  const settings = ['--hub.port', '0', '--hub.refresh', '2', '--hub.bucket-age', '5', '--allow-private-axons']
  hubStatusUrl = (await startRole('hub', 'start', ...node('hub'), ...settings)).statusUrl
  const { url } = await statusOfHub()
  client = new OpenAI({ apiKey: secret, baseURL: `${url}/v1`, maxRetries: 0 })
  validatorArguments = [
    ...['validator', 'start', ...node('validator')],
    ...['--models.mode', 'config', '--models.file', join(folder, 'models.txt')],
    ...['--engine.endpoints', `${MODEL}=${reference}/v1`, '--engine.hub-url', reference],
    ...['--epoch-length', '60', '--round.max-tokens', '64-96', '--no-history', '--dataset.url', 'off'],
    ...['--hub.url', url, '--evidence.mode', 'enforce', '--evidence.organics', 'count'],
    ...['--allow-private-axons', '--i-am-alone', '--round.stall-limit', '1000'],
  ]
}, 240_000)

afterAll(async () => {
  for (const cli of running.reverse()) await cli.stop()
}, 60_000)

async function statusOfHub() {
  return hubStatus.parse(await (await fetch(`${hubStatusUrl}/status`)).json())
}

async function uidOf(behaviour: 'cheat' | 'honest'): Promise<number> {
  const hotkey = (await hotkeysByName)[behaviour]
  const miner = (await statusOfHub()).miners.find((one) => one.hotkey === hotkey)
  expect(miner).toBeDefined()
  return miner?.uid ?? -1
}

const chat = (text: string, more: object = {}) => ({
  ...{ model: MODEL, max_tokens: 40, messages: [{ role: 'user' as const, content: text }] },
  ...more,
})

describe('a hub in front of two honest miners and one that is honest to validators only', () => {
  it('lists the models that the miners serve', async () => {
    const { data } = await client.models.list()
    expect(data.map(({ id }) => id)).toContain(MODEL)
  })

  it('streams chats and completions, and answers whole ones, to the OpenAI package', async () => {
    const { data, response } = await client.chat.completions
      .create({ ...chat('How do rivers begin?'), stream: true })
      .withResponse()
    let streamed = ''
    for await (const { choices } of data) streamed += choices[0]?.delta.content ?? ''
    expect(streamed.length).toBeGreaterThan(20)
    expect(Number(response.headers.get('x-targon-miner-uid'))).toBeGreaterThan(0)
    expect(response.headers.get('x-targon-verified')).toBe('pending')

    const whole = await client.chat.completions.create(chat('How do rivers begin?', { seed: 7 }))
    expect(whole.choices[0]?.message.content).toBeTruthy()
    expect(whole.choices[0]?.logprobs ?? null).toBeNull()
    expect(whole.usage?.completion_tokens).toBeGreaterThan(5)

    const completion = await client.completions.create({ model: MODEL, prompt: 'Rivers', max_tokens: 20 })
    expect(completion.choices[0]?.text).toBeTruthy()
  })

  it('refuses an unknown key and an unknown model as OpenAI does', async () => {
    const stranger = new OpenAI({ apiKey: 'sk-targon-none', baseURL: client.baseURL, maxRetries: 0 })
    await expect(stranger.models.list()).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
    await expect(
      client.chat.completions.create({ ...chat('Hello'), model: 'org/unknown' }),
    ).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
  })

  it('keeps what was asked for validators, and prompts do not reach the log', async () => {
    await client.chat.completions.create(chat('a prompt about purple elephants'))
    await expect.poll(async () => (await statusOfHub()).records.rows).toBeGreaterThan(2)
    const said = running.map((cli) => cli.stdout() + cli.stderr()).join('')
    expect(said).not.toContain('purple elephants')
  })

  it('users’ requests bar the miner that is honest to the validator, and it ends at weight 0', async () => {
    const { statusUrl } = await startRole(...validatorArguments)
    const readMiners = async () =>
      validatorStatus.parse(await (await fetch(`${statusUrl}/status`)).json()).miners
    const named = async (behaviour: 'cheat' | 'honest') => {
      const hotkeys = await hotkeysByName
      return (await readMiners()).find(({ hotkey }) => hotkey === hotkeys[behaviour])
    }
    await expect
      .poll(
        async () => {
          await Promise.all(
            Array.from({ length: 6 }, () => client.chat.completions.create(chat('How do rivers begin?'))),
          )
          return (await named('cheat'))?.evidence.map(({ level }) => level)
        },
        { timeout: 180_000, interval: 1000 },
      )
      .toEqual(['barred'])
    expect((await named('cheat'))?.score).toBe(0)
    expect((await named('cheat'))?.verdicts.verified, 'its own rounds verified it').toBeGreaterThan(0)
    // Those on chain since it is barred.
    const weightsOfAll = async () => {
      const { weights } = validatorStatus.parse(await (await fetch(`${statusUrl}/status`)).json())
      return Object.fromEntries(weights?.entries.map(({ uid, weightU16 }) => [uid, weightU16 > 0]) ?? [])
    }
    await expect
      .poll(weightsOfAll, { timeout: 120_000, interval: 1000 })
      .toEqual({ [UIDS.fast]: true, [UIDS.medium]: true })
    expect((await named('honest'))?.evidence.every(({ level }) => level === 'clean')).toBe(true)
  }, 400_000)

  it('the miner that cheats users gets no more of their requests, and none of them fails', async () => {
    const cheat = await uidOf('cheat')
    const ask = async () => {
      const { response } = await client.chat.completions.create(chat('How do rivers begin?')).withResponse()
      return Number(response.headers.get('x-targon-miner-uid'))
    }
    let counts = new Map<number, number>()
    const askMany = async () => {
      counts = new Map()
      for (let turn = 0; turn < 8; turn++)
        for (const uid of await Promise.all(Array.from({ length: 5 }, ask)))
          counts.set(uid, (counts.get(uid) ?? 0) + 1)
      return counts.get(cheat) ?? 0
    }
    // A few more may reach it until enough of its answers are judged.
    await expect.poll(askMany, { timeout: 180_000, interval: 1000 }).toBe(0)
    // Its share goes to the honest ones, both of them.
    expect([...counts.keys()].sort()).toEqual([UIDS.fast, UIDS.medium])
  }, 240_000)

  it('loses no request that had not started when a miner is killed', async () => {
    let failed = 0
    let answered = 0
    const ask = async () => {
      let started = false
      try {
        const stream = await client.chat.completions.create({ ...chat('How do rivers begin?'), stream: true })
        for await (const { choices } of stream) started ||= (choices[0]?.delta.content ?? '') !== ''
        answered++
      } catch (error) {
        // An answer that had begun at the killed miner ends with an error.
        if (!started) failed++
        if (!started) console.error(error)
      }
    }
    for (let turn = 0; turn < 6; turn++) {
      const asked = Array.from({ length: 4 }, ask)
      if (turn === 2) honest.child.kill('SIGKILL')
      await Promise.all(asked)
    }
    expect(failed).toBe(0)
    expect(answered).toBeGreaterThan(18)
  })
})

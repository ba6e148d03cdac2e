import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import Query from '../../src/commands/query.js'
import { writeDevelopmentWallet } from '../../src/wallet/index.js'
import { runCommand } from '../support/cli.js'
import { type FakeVllm, sse, startFakeVllm, type Answer as VllmAnswer } from '../support/fake-vllm.js'
import { type MinerRig, startMinerRig } from '../support/miner-rig.js'
import { chatChunk, completionChunk } from '../support/stream-server.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const MODEL = 'test/model'
let vllm: FakeVllm
let rig: MinerRig
let wallet: string[]
/** What the model server does with the next request instead of answering it. */
let answerOnce: VllmAnswer | undefined

beforeAll(async () => {
  const folder = temporaryFolder('query')
  await writeDevelopmentWallet(folder, 'w', [
    { name: 'validator', seed: new Uint8Array(32).fill(2) },
    { name: 'stranger', seed: new Uint8Array(32).fill(9) },
  ])
  wallet = ['--wallet.path', folder, '--wallet.name', 'w', '--wallet.hotkey', 'validator']
  vllm = await startFakeVllm({
    models: [MODEL],
    answer: (received) => {
      const { path, response } = received
      const answer = answerOnce
      answerOnce = undefined
      if (answer) return answer(received)
      const chunk = path === '/v1/completions' ? completionChunk : chatChunk
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(sse(chunk('The sky', 11)))
      response.write(sse(chunk(' is \u001b[31mblue', 12)))
      response.end(sse(chunk('.', 13, -0.1, 'stop'), '[DONE]'))
    },
  })
  rig = await startMinerRig({ settings: { 'model-endpoint': [vllm.url] } })
  await vi.waitFor(() => expect(JSON.stringify(rig.logs)).toContain('upstream-up'), 10_000)
})

afterAll(async () => {
  await rig.close()
  await vllm.close()
})

/** Flags that name the miner by address and hotkey, so that no chain is needed. */
function direct(...words: string[]): string[] {
  return [...wallet, '--axon', new URL(rig.url).host, '--hotkey', rig.miner.address, ...words]
}

describe('targon query', () => {
  it('streams the answer to stdout and its speed to stderr', async () => {
    const { status, stdout, stderr } = await runCommand(Query, direct('Why is the sky blue?'))
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'The sky is \u001b[31mblue.\n' })
    expect(stderr).toMatch(/test\/model · 3 tokens · first after \d+\.\d\d s · \d+\.\d tokens\/s/)
  })

  it('sends the parameters given by flags', async () => {
    const words = ['--system', 'Be brief.', '--max-tokens', '7', '--temperature', '0.25', '--seed', '42']
    await runCommand(Query, direct('Why?', '--model', MODEL, ...words))
    expect(JSON.parse(vllm.received.at(-1)?.body ?? '')).toMatchObject({
      model: MODEL,
      seed: 42,
      temperature: 0.25,
      max_tokens: 7,
      stream: true,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Why?' },
      ],
    })
  })

  it('sends a completion request', async () => {
    const { status } = await runCommand(Query, direct('Once upon', '--completion'))
    expect(status).toBe(0)
    expect(vllm.received.at(-1)).toMatchObject({ path: '/v1/completions' })
    expect(JSON.parse(vllm.received.at(-1)?.body ?? '')).toMatchObject({ prompt: 'Once upon' })
  })

  it('--json prints exactly one document', async () => {
    const { stdout, stderr } = await runCommand(Query, direct('Why?', '--json'))
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      miner: { hotkey: rig.miner.address },
      model: MODEL,
      text: 'The sky is \u001b[31mblue.',
      finishReason: 'stop',
      tokens: 3,
    })
  })

  it('--ndjson streams one line per chunk, then the result', async () => {
    const { stdout } = await runCommand(Query, direct('Why?', '--ndjson'))
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(
      lines
        .slice(0, -1)
        .map(({ text }) => text)
        .join(''),
    ).toBe('The sky is \u001b[31mblue.')
    expect(lines.at(-1).result).toMatchObject({ tokens: 3 })
  })

  it('--list shows the models of the miner', async () => {
    const { stdout } = await runCommand(Query, direct('--list'))
    expect(stdout).toMatch(new RegExp(`${rig.miner.address}\\s+${rig.url}\\s+${MODEL}`))
  })

  it('--list gives the reason if a miner lists no models', async () => {
    const unreachable = [...wallet, '--axon', '127.0.0.1:1', '--hotkey', rig.miner.address, '--list']
    const { status, stdout } = await runCommand(Query, unreachable)
    expect(status).toBe(0)
    expect(stdout).toMatch(/127\.0\.0\.1:1\s+\(.*ECONNREFUSED.*\)$/m)
  })

  it('--all prints a table', async () => {
    const { status, stdout } = await runCommand(Query, direct('--all', 'Why?'))
    expect(status).toBe(0)
    const [head, row] = stdout.split('\n')
    expect(head).toMatch(/uid\s+hotkey\s+tokens\s+first s\s+tokens\/s\s+same start\s+answer\s+result/)
    expect(row).toContain(rig.miner.address)
    expect(row).toMatch(/(\d+) of \1\s+"The sky is \\u001b\[31mblue\."/)
  })
})

describe('Ctrl-C', () => {
  it.each([
    ['--list', ['--list']],
    ['--all', ['--all', 'Why?']],
    ['one miner', ['Why?']],
  ])('is reported as such while it waits for %s', async (_, words) => {
    const silent = createServer(() => void process.emit('SIGINT'))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const axon = ['--axon', `127.0.0.1:${port}`, '--hotkey', rig.miner.address, '--model', MODEL]
    const { status, stdout, stderr } = await runCommand(Query, [...wallet, ...axon, ...words])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toBe(
      'Error [INTERRUPTED]: The command was interrupted before it finished. Run it again.\n',
    )
    silent.closeAllConnections()
    silent.close()
  })
})

describe('failures print one line and set the exit status', () => {
  it.each([
    [
      'a model that is not served',
      ['--model', 'no/such', 'Why?'],
      4,
      'MINER_ANSWER',
      'does not serve this model',
    ],
    ['a seed that is not a number', ['--seed', 'abc', 'Why?'], 2, 'CONFIG_BAD_VALUE', 'whole number'],
    ['--verify without an engine', ['--verify', 'Why?'], 2, 'REFERENCE_ENGINE_MISSING', '--engine.endpoints'],
    ['an empty prompt', [' '], 2, 'PROMPT_MISSING', 'targon query'],
    ['exclusive flags', ['--list', '--all'], 2, 'USAGE', '--all'],
  ])('%s', async (_, words, expected, code, advice) => {
    const { status, stderr } = await runCommand(Query, direct(...words))
    expect(stderr).toContain(`Error [${code}]`)
    expect(stderr).toContain(advice)
    expect(status).toBe(expected)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('a hotkey that is not registered', async () => {
    const stranger = direct('Why?').map((word) => (word === 'validator' ? 'stranger' : word))
    const { status, stderr } = await runCommand(Query, [...stranger, '--model', MODEL])
    expect(status).toBe(4)
    expect(stderr).toContain('401')
    expect(stderr).toContain('registered')
  })

  it.each([[], ['--all']])(
    'a refusal when the models are listed, with the sentence of the miner: %j',
    async (...words) => {
      const stranger = direct('Why?', ...words).map((word) => (word === 'validator' ? 'stranger' : word))
      const { status, stderr } = await runCommand(Query, stranger)
      expect(status).toBe(4)
      expect(stderr).toMatch(/Error \[MINER_ANSWER\].*answered 401: Signer not in metagraph\./)
      expect(stderr).toContain('callers must be registered')
    },
  )

  it.each([
    [
      '{"error":{"message":"max_tokens\\u001b is too large","type":"BadRequestError","code":400}}',
      'max_tokens\\u001b is too large',
    ],
    [
      '{"detail":[{"loc":["body","seed"],"msg":"Input should be an integer"}]}',
      'body.seed: Input should be an integer',
    ],
    ['upstream connect error', 'upstream connect error'],
  ])('the error of a model server: %s', async (body, sentence) => {
    answerOnce = ({ response }) => void response.writeHead(400).end(body)
    const { status, stderr } = await runCommand(Query, direct('Why?', '--model', MODEL))
    expect(status).toBe(4)
    expect(stderr).toContain(`returned no valid answer: answered 400: ${sentence}.`)
    answerOnce = ({ response }) => void response.writeHead(400).end(body)
    const all = await runCommand(Query, direct('Why?', '--all'))
    expect(all.stdout).toContain(`answered 400: ${sentence}`)
    expect(all.status).toBe(1)
  })

  it('a missing wallet', async () => {
    const { status, stderr } = await runCommand(Query, ['--wallet.path', '/nonexistent', 'Why?'])
    expect(status).toBe(2)
    expect(stderr).toContain('Error [WALLET_')
    expect(stderr).toContain('btcli wallet new-hotkey')
  })

  it('an unreachable miner', async () => {
    const unreachable = [...wallet, '--axon', '127.0.0.1:1', '--hotkey', rig.miner.address]
    const { status, stderr } = await runCommand(Query, [...unreachable, '--model', MODEL, 'Why?'])
    expect(status).toBe(4)
    expect(stderr).toMatch(/Error \[MINER_ANSWER\].*ECONNREFUSED/)
  })

  it('an invalid address', async () => {
    const { status, stderr } = await runCommand(Query, [...wallet, '--axon', 'here', '--hotkey', 'x', 'Why?'])
    expect(status).toBe(2)
    expect(stderr).toMatch(/Error \[CONFIG_BAD_VALUE\]: --axon must be ip:port.*, got "here"\./)
  })

  it('an invalid hotkey, before the wallet is opened', async () => {
    const { status, stderr } = await runCommand(Query, [
      '--wallet.path',
      '/nonexistent',
      '--hotkey',
      'x',
      'Why?',
    ])
    expect(status).toBe(2)
    expect(stderr).toContain('Error [HOTKEY_INVALID]: --hotkey must be an ss58 address, got "x".')
  })
})

import { readFileSync } from 'node:fs'
import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { startFakeVllm } from '../support/fake-vllm.js'
import { scaled } from './scale.js'
import { startTally } from './tally.js'
import { askRaw, sendRaw, signedPost, startVictim } from './victim.js'

const CANARY = 'canary-7f3a-SECRET/+key'
const SECTION_CANARY = 'canary-51d0-SECRET/+section'

// biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for control characters
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

const PAYLOADS = [
  '\n{"level":"fatal","msg":"forged"}',
  '\r\n',
  '\u001b[2J\u001b[31m',
  '\u009b31m',
  '\u202e',
  '\u2066',
  '\u2028',
  '\u0000',
  '\u0007',
  '\u007f',
  '%0a',
  '\\n',
  '"},{"x":"',
  '__proto__',
  'constructor',
  '%24%7Bjndi:x}',
  '<script>',
  'a'.repeat(4000),
]

describe('gauntlet: secrets and log lines of the miner', () => {
  const open: { close(): Promise<unknown> | unknown }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  /** Everything a miner with two keys outputs after a request whose answer from the model server contains the key. */
  async function collectOutput(env: Record<string, string>): Promise<string> {
    const vllm = await startFakeVllm({
      answer: ({ response, headers }) => void response.writeHead(500).end(`bad key ${headers.authorization}`),
    })
    const settingsKey = {
      'model-endpoint': [vllm.url],
      upstreams: [{ url: vllm.url, apiKey: SECTION_CANARY }],
      'api-key': CANARY,
    }
    const victim = await startVictim('miner', settingsKey, { GAUNTLET_DEBUG: '1', ...env })
    open.push(vllm, { close: () => victim.kill('SIGKILL') })
    const { headers, body } = signedPost(JSON.stringify({ model: 'org/model' }))
    const served = await request(`http://127.0.0.1:${victim.port}/v1/completions`, {
      method: 'POST',
      headers,
      body,
    })
    await served.body.dump()
    expect(vllm.received[0]?.headers.authorization).toBe(`Bearer ${SECTION_CANARY}`)
    const url = victim.log
      .map((line) => JSON.parse(line) as { url?: string })
      .find((record) => record.url)?.url
    const pages = await Promise.all(
      ['/status', '/metrics', '/readyz'].map(async (path) => (await fetch(`${url}${path}`)).text()),
    )
    const environment = readFileSync(`/proc/${victim.pid}/environ`, 'utf8')
    return [...victim.log, ...pages, environment].join('\n')
  }

  it('F21: the keys of model servers appear in no log, status, metric or environment', async ({ task }) => {
    const tally = startTally(task, { fault: 'F21', kind: 'forms of two planted keys', full: 6 })
    const output = await collectOutput({})
    expect(output).toContain('[redacted]')
    for (const canary of [CANARY, SECTION_CANARY])
      for (const form of [
        canary,
        encodeURIComponent(canary),
        Buffer.from(canary).toString('base64').replace(/=+$/, ''),
      ]) {
        expect(output).not.toContain(form)
        tally.count++
      }
  })

  it('F21 control: redacting only the usual paths leaks a key', async () => {
    expect(await collectOutput({ GAUNTLET_NAIVE_LOG: '1' })).toContain(SECTION_CANARY)
  })

  it('F22 control: plain JSON lines contain control characters sent by callers', async () => {
    const vllm = await startFakeVllm()
    const victim = await startVictim(
      'miner',
      { 'model-endpoint': [vllm.url] },
      { GAUNTLET_DEBUG: '1', GAUNTLET_NAIVE_LOG: '1' },
    )
    open.push(vllm, { close: () => victim.kill('SIGKILL') })
    await askRaw(victim.port, [signedPost(JSON.stringify({ model: '\u009b31m' }))])
    await expect.poll(() => victim.log.some((line) => UNSAFE.test(line))).toBe(true)
  })

  for (const pretty of ['0', '1']) {
    it(`F22: no text of callers or model servers forges or colours a ${pretty === '1' ? 'pretty' : 'JSON'} log line`, async ({
      task,
    }) => {
      const kind = `payloads in ${pretty === '1' ? 'pretty' : 'JSON'} log lines`
      const tally = startTally(task, { fault: 'F22', kind, full: 3 * PAYLOADS.length })
      const vllm = await startFakeVllm()
      vllm.models = [...PAYLOADS, 'org/model']
      const victim = await startVictim(
        'miner',
        { 'model-endpoint': [vllm.url], 'max-failed-checks': 100_000, 'max-in-flight-per-signer': 1000 },
        { GAUNTLET_DEBUG: '1', GAUNTLET_PRETTY: pretty, FORCE_COLOR: '0' },
      )
      open.push(vllm, { close: () => victim.kill('SIGKILL') })
      const rounds = scaled(3)
      for (let round = 0; round < rounds; round++) {
        for (const payload of PAYLOADS) {
          const body = JSON.stringify({ model: payload, messages: [payload] })
          const chat = signedPost(body)
          const list = signedPost(JSON.stringify([payload]), { path: '/models' })
          const answer = vllm.answer
          vllm.answer = ({ response }) => {
            response.socket?.end(`HTTP/1.1 200 ${payload.replace(/[\r\n]/g, '')}\r\n${payload}\r\n\r\n`)
          }
          const served = signedPost(JSON.stringify({ model: 'org/model' }))
          for (const { head, body: text } of [chat, list, served]) {
            await sendRaw(victim.port, head + text)
            await sendRaw(
              victim.port,
              Buffer.from(
                head.replace(
                  /Epistula-Uuid: .*\r\n/,
                  `Epistula-Uuid: ${payload.replace(/[\r\n]/g, '')}\r\n`,
                ) + text,
              ),
            )
            await sendRaw(
              victim.port,
              Buffer.from(head.replace('/models', `/models${encodeURI(payload)}`) + text),
            )
          }
          vllm.answer = answer
        }
      }
      expect(victim.isAlive()).toBe(true)
      expect(victim.log.length).toBeGreaterThan(PAYLOADS.length)
      for (const line of victim.log) {
        expect(line).not.toMatch(UNSAFE)
        if (pretty === '0') expect(() => JSON.parse(line)).not.toThrow()
        else expect(line).toMatch(/^\[\d\d:\d\d:\d\d\] [A-Z]+: /)
        expect(line).not.toMatch(/^\{"level":"fatal","msg":"forged"\}/)
      }
      tally.count = rounds * PAYLOADS.length
    })
  }
})

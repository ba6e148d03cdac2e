import { describe, expect, it } from 'vitest'
import { createSecret } from '../../src/accounts/secret.js'
import { createLogger } from '../../src/telemetry/index.js'

function capture(options: { pretty?: boolean; secrets?: Iterable<string> } = {}) {
  const lines: string[] = []
  const log = createLogger({
    level: 'trace',
    base: { role: 'miner', netuid: 4 },
    pretty: options.pretty ?? false,
    colour: false,
    destination: { write: (line) => void lines.push(line) },
    secrets: options.secrets ?? [],
  })
  return { log, lines }
}

/** Control and bidirectional characters, except the line feed at the end of a record. */
const UNSAFE = /(?!\n)[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u

const PAYLOADS = [
  'first\nsecond',
  'a\r\nb',
  '\u001b[31mred\u001b[0m',
  '\u009b31m',
  '\u202eevil',
  '\u2066x\u2069',
  'marks \u200e\u200f\u061c',
  'line\u2028sep\u2029',
  '\u007f\b\f\t\u0000',
  '\\n is not a line',
  'quote " and \\" slash \\',
  '{"level":"fatal"}\n{"msg":"forged"}',
]

/** The names of the fields of a JSON record as it is written, repeated ones too. */
function fieldsOf(line: string): string[] {
  let depth = 0
  const names: string[] = []
  for (const [token, isName] of line.matchAll(/"(?:[^"\\]|\\.)*"(:)?|[[\]{}]/g)) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    else if (isName && depth === 1) names.push(JSON.parse(token.slice(0, -1)))
  }
  return names
}

describe('logger', () => {
  for (const pretty of [false, true]) {
    it(`${pretty ? 'pretty' : 'JSON'}: writes one line without control or bidi characters per record, whatever the field`, () => {
      for (const payload of PAYLOADS) {
        const { log, lines } = capture({ pretty })
        log.info({ model: payload, nested: { [payload]: [payload] } }, payload)
        log.error({ err: new Error(payload) }, 'failed')
        expect(lines).toHaveLength(2)
        for (const line of lines) {
          expect(line.endsWith('\n')).toBe(true)
          expect(line.slice(0, -1)).not.toMatch(/\n/)
          expect(line).not.toMatch(UNSAFE)
        }
      }
    })
  }

  it('writes JSON from which a reader gets back exactly what was logged', () => {
    for (const payload of PAYLOADS) {
      const { log, lines } = capture()
      log.info({ model: payload }, 'event')
      expect(JSON.parse(lines[0]!)).toMatchObject({
        model: payload,
        msg: 'event',
        level: 'info',
        role: 'miner',
      })
    }
  })

  it('masks secret values in messages, nested fields, errors, URLs and Basic headers', () => {
    const secret = 'k3y/with+odd"chars'
    const { log, lines } = capture({ secrets: [secret] })
    log.info({ deep: { list: [{ x: secret }] } }, `got ${secret}`)
    log.error({ err: new Error(`GET http://u:${encodeURIComponent(secret)}@host failed`) }, 'failed')
    log.info({ header: `Basic ${Buffer.from(secret).toString('base64')}` }, 'sent')
    const text = lines.join('')
    expect(text).not.toContain('k3y')
    expect(text).not.toContain(JSON.stringify(secret).slice(1, -1))
    expect(text).not.toContain(Buffer.from(secret).toString('base64').slice(0, 20))
    expect(text.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(4)
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow()
  })

  it('masks credential fields with unknown values', () => {
    const { log, lines } = capture()
    log.info(
      { headers: { Authorization: 'Bearer unknown-value', 'X-API-Key': 'other' }, apiKey: 'third' },
      'x',
    )
    expect(lines[0]).not.toMatch(/unknown-value|other|third/)
  })

  it.each([false, true])('describes dropped lines as one masked record (pretty: %s)', (pretty) => {
    let describe = (_: number) => ''
    const lines: string[] = []
    createLogger({
      level: 'error',
      base: { role: 'miner', note: 'hidden-word\u001b[2J' },
      pretty,
      colour: false,
      destination: {
        write: (line) => void lines.push(line),
        describeLoss: (given) => {
          describe = given
        },
      },
      secrets: ['hidden-word'],
    })
    const line = describe(12)
    expect(line.slice(0, -1)).not.toMatch(UNSAFE)
    expect(line).toContain('[redacted]')
    expect(line).toMatch(/log-lines-dropped.*12|12.*log-lines-dropped/)
    expect(line).toMatch(/\n$/)
    expect(lines).toEqual([])
  })

  it('writes each field once, that of the call, whatever every record and a child logger carry', () => {
    const { log, lines } = capture()
    log
      .child({ model: 'of-child', source: 'a' })
      .info({ netuid: 5, model: 'of-call', err: new Error('x') }, 'm')
    log
      .child({ role: 'child' })
      .child({ role: 'grandchild' })
      .warn({ level: 1, time: 2, msg: 'field' }, 'text')
    for (const line of lines) expect(fieldsOf(line)).toEqual([...new Set(fieldsOf(line))])
    const [first, second] = lines.map((line) => JSON.parse(line))
    expect(first).toMatchObject({ role: 'miner', netuid: 5, model: 'of-call', source: 'a' })
    expect(second).toMatchObject({ role: 'grandchild', level: 'warn', msg: 'text', level_: 1, msg_: 'field' })
  })

  it('shows a terminal the fields of a call, not those that every record carries', () => {
    const { log, lines } = capture({ pretty: true })
    log.info({ netuid: 5 }, 'another subnet')
    log.info({ netuid: 4 }, 'this subnet')
    expect(lines[0]).toMatch(/another subnet.*"netuid":5/)
    expect(lines[0]).not.toMatch(/role|miner/)
    expect(lines[1]).not.toMatch(/netuid/)
  })

  it.each([false, true])('rounds numbers to what they mean, nested ones too (pretty: %s)', (pretty) => {
    const { log, lines } = capture({ pretty })
    const speeds = [69.04761904761905, 12]
    log.info(
      {
        tokensPerSecond: speeds[0],
        stallMs: 12.7,
        ageSeconds: 1.26,
        percent: 33.3333,
        ratio: 0.6666666,
        block: 7_654_321,
      },
      'release 4.50000001',
    )
    log.info({ incentive: 0.0001234567, stakeTao: 12345.678901234, nested: { tokensPerSecond: speeds } }, 'x')
    expect(lines[0]).toMatch(
      /"tokensPerSecond":69,"stallMs":13,"ageSeconds":1.3,"percent":33,"ratio":0.667,"block":7654321\b/,
    )
    expect(lines[1]).toMatch(
      /"incentive":0.000123,"stakeTao":12345.679,"nested":{"tokensPerSecond":\[69,12]}/,
    )
    expect(lines[0]).toContain('release 4.50000001')
  })

  it('masks an API key of the hub, wherever a user has put it', () => {
    const { log, lines } = capture()
    const key = createSecret()
    log.warn({ model: key, deep: [`?key=${key}`], err: new Error(`no model ${key}`) }, `asked for ${key}`)
    expect(lines[0]).not.toContain(key.slice(10, 30))
    expect(lines[0]?.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(4)
  })

  it('masks the password of an address that is no secret setting', () => {
    const { log, lines } = capture()
    log.warn(
      { endpoint: 'wss://user:hidden-word@node:9944', err: new Error('at http://u:hidden-word@h') },
      'x',
    )
    expect(lines[0]).not.toContain('hidden-word')
    expect(JSON.parse(lines[0]!)).toMatchObject({ endpoint: 'wss://user:[redacted]@node:9944' })
  })

  it('masks secrets added later', () => {
    const secrets = new Set(['first-secret'])
    const { log, lines } = capture({ secrets })
    log.info('second-secret')
    secrets.add('second-secret')
    log.info('second-secret')
    expect(lines[0]).toContain('second-secret')
    expect(lines[1]).not.toContain('second-secret')
  })
})

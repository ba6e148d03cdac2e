import { describe, expect, it } from 'vitest'
import {
  defaultFor,
  formatValue,
  resolveSettings,
  type Setting,
  type SettingName,
  settings,
  variableOf,
} from '../../src/config/index.js'

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const WORDS: Readonly<Record<string, string>> = { ms: 'millisecond', s: 'second', d: 'day' }

const durations = (Object.keys(settings) as SettingName[]).flatMap((name) => {
  const entry: Setting = settings[name]
  if (entry.kind !== 'duration' || !(entry.unit === 'ms' || entry.unit === 's' || entry.unit === 'd'))
    return []
  return [{ name, entry, unit: entry.unit, role: entry.roles[0] ?? 'miner' }]
})

type Duration = (typeof durations)[number]

/** The value a setting takes from each kind of source, or the refusal. */
function read({ name, role }: Duration, typed: unknown) {
  const text = String(typed)
  const sources = [
    { flags: { [name]: text }, env: {} },
    { flags: {}, env: { [variableOf(name)]: text } },
    { flags: {}, env: {}, dotenvFiles: [{ path: '.env', text: `${variableOf(name)}=${text}` }] },
    { flags: {}, env: {}, configFile: { path: 'c.json', text: JSON.stringify({ [name]: typed }) } },
  ]
  return sources.map((source) => {
    try {
      const values: Readonly<Record<string, unknown>> = resolveSettings(role, source).values
      return values[name]
    } catch (error) {
      return error
    }
  })
}

it('covers every setting that is a duration', () => {
  expect(durations.map(({ name }) => name).sort()).toEqual([
    ...[
      'alert.idle',
      'alert.repeat',
      'body-timeout',
      'chain.block-time',
      'drain-timeout',
      'header-timeout',
      'history.retention',
    ],
    ...['hub.body-timeout', 'hub.bucket-age', 'hub.first-token-timeout', 'hub.gap-timeout'],
    ...['hub.hedge-after', 'hub.refresh', 'hub.retain', 'hub.total-timeout', 'hub.usage-retention'],
    ...['metagraph-refresh', 'miner-timeout', 'query-timeout', 'round.hard-cap', 'round.pause'],
    ...['round.stall-limit', 'routing.first-byte-timeout', 'routing.gap-timeout', 'routing.queue-timeout'],
    ...['routing.reader-timeout', 'routing.refresh', 'routing.total-timeout', 'timestamp-window'],
  ])
})

describe.each(durations)('$name', (setting) => {
  const { name, entry, unit, role } = setting
  const accepts = (value: number) => entry.schema.safeParse(value).success

  it('takes a bare number in its own unit, as text and as a number', () => {
    const value = Number(defaultFor(entry, role)) || 7
    expect(read(setting, String(value))).toEqual([value, value, value, value])
    expect(read(setting, value)).toEqual([value, value, value, value])
  })

  it.each(['1ms', '500ms', '8s', '1.5s', '90 s', '2m', '1.5m', '1h', '12h', '1d', '30d'])(
    'takes %s in whole units within its bounds, and refuses it otherwise',
    (typed) => {
      const [, number = '', suffix = ''] = /^([\d.]+) ?(\w+)$/.exec(typed) ?? []
      const value = (Number(number) * MILLISECONDS[suffix as keyof typeof MILLISECONDS]) / MILLISECONDS[unit]
      const results = read(setting, typed)
      if (accepts(value)) expect(results).toEqual([value, value, value, value])
      else for (const result of results) expect(result).toMatchObject({ code: 'CONFIG_BAD_VALUE' })
    },
  )

  it.each([
    'soon',
    '8S',
    '8 sec',
    '8s2m',
    '-8s',
    '-8',
    '1e3',
    '0x8',
    '.5s',
    '8.',
    's',
    '8y',
    '8  s',
    '99999d',
  ])('refuses %j with its name, unit and an example', (typed) => {
    for (const result of read(setting, typed)) {
      expect(result).toMatchObject({ code: 'CONFIG_BAD_VALUE', fault: 'usage' })
      const { message } = result as Error
      expect(message).toMatch(new RegExp(`${name.replaceAll('.', '\\.')}|${variableOf(name)}`))
      expect(message).toContain(`must be a duration in whole ${WORDS[unit]}s from `)
      expect(message).toMatch(
        / from \d+(ms|s|m|h|d) to \d+(ms|s|m|h|d), such as (\d+) or \d+(ms|s|m|h|d), got ".*"\.$/,
      )
      const example = / or (\w+), got /.exec(message)?.[1]
      expect(entry.schema.safeParse(example).data).toBe(Number(/such as (\d+)/.exec(message)?.[1]))
    }
  })

  it('refuses config-file values of another type', () => {
    for (const typed of [true, null, [8], { s: 8 }])
      expect(entry.schema.safeParse(typed).success, JSON.stringify(typed)).toBe(false)
  })

  it('names its unit in the description and behind its value', () => {
    expect(entry.help.toLowerCase()).toContain(WORDS[unit])
    expect(formatValue(name, entry.default)).toBe(`${entry.default} ${unit}`)
  })
})

it('refuses a fraction of the unit, as for any whole number', () => {
  const seconds = durations.filter(({ unit }) => unit === 's')
  for (const setting of seconds)
    for (const typed of ['1500ms', '1.5s', '1.5', 1.5])
      for (const result of read(setting, typed)) expect(result).toMatchObject({ code: 'CONFIG_BAD_VALUE' })
})

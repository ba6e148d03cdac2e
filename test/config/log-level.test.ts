import { describe, expect, it } from 'vitest'
import { resolveSettings, type SettingSources } from '../../src/config/index.js'

function levelOf(sources: Partial<SettingSources>) {
  const { values, origins, warnings } = resolveSettings('miner', { flags: {}, env: {}, ...sources })
  return { level: values['logging.level'], from: origins['logging.level']?.kind, warnings }
}

const file = (level: string) => ({
  configFile: { path: 'c.json', text: `{"logging.level": "${level}"}` },
})

describe('logging.level', () => {
  it.each([
    [{}, 'info', 'default'],
    [{ flags: { 'logging.level': 'silent' } }, 'silent', 'flag'],
    [{ flags: { 'logging.debug': true } }, 'debug', 'flag'],
    [{ flags: { 'logging.debug': true, 'logging.trace': true } }, 'trace', 'flag'],
    [{ flags: { 'logging.info': false } }, 'warn', 'flag'],
    [{ env: { BT_LOGGING_TRACE: '1' } }, 'trace', 'variable'],
    [file('error'), 'error', 'config-file'],
  ] as const)('of %j is %s, from its %s', (sources, level, from) => {
    expect(levelOf(sources)).toEqual({ level, from, warnings: [] })
  })

  it('wins over a switch of the same source, which is told', () => {
    expect(levelOf({ flags: { 'logging.level': 'warn', 'logging.debug': true } })).toEqual({
      ...{ level: 'warn', from: 'flag' },
      warnings: ['--logging.debug is ignored: --logging.level chose the log level.'],
    })
  })

  it('of the environment wins over a switch of the SDK there', () => {
    const env = { TARGON_LOGGING_LEVEL: 'error', BT_LOGGING_TRACE: '1' }
    expect(levelOf({ env })).toMatchObject({
      level: 'error',
      warnings: ['BT_LOGGING_TRACE is ignored: TARGON_LOGGING_LEVEL chose the log level.'],
    })
  })

  it('of the config file loses to a switch on the command line, which is told', () => {
    expect(levelOf({ ...file('error'), flags: { 'logging.trace': true } })).toEqual({
      ...{ level: 'trace', from: 'flag' },
      warnings: ['logging.level (c.json:1) is ignored: --logging.trace chose the log level.'],
    })
  })

  it('is one of six words', () => {
    expect(() => levelOf({ flags: { 'logging.level': 'debg' } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_BAD_VALUE', next: 'Did you mean debug?' }),
    )
  })
})

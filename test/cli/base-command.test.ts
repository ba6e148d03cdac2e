import { getDefaultAutoSelectFamilyAttemptTimeout, setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net'
import { describe, expect, it } from 'vitest'
import { BaseCommand, flagsOf } from '../../src/cli/index.js'
import { type Setting, settings } from '../../src/config/index.js'
import { DEFAULT_LIMITS } from '../../src/inference/index.js'
import { escapeControlsInLines } from '../../src/kernel/control-characters.js'
import { TargonError } from '../../src/kernel/errors.js'
import { probeCommand, runCommand } from '../support/cli.js'

const miner = probeCommand('miner', flagsOf('miner'))
const validator = probeCommand('validator', flagsOf('validator'))

describe('spellings', () => {
  it.each([
    [['--wallet.name', 'x'], 'wallet.name', 'x'],
    [['--wallet.name=x'], 'wallet.name', 'x'],
    [
      ['--model-endpoint', 'http://a', '--model-endpoint', 'http://b'],
      'model-endpoint',
      ['http://a', 'http://b'],
    ],
    [['--logging.debug'], 'logging.debug', true],
    [['--no-logging.info'], 'logging.info', false],
    [['--no-axon.announce'], 'axon.announce', false],
    [['--logging.debug=false'], 'logging.debug', false],
    [['--no-force-validator-permit'], 'no-force-validator-permit', true],
    [['--no-force-validator-permit', 'FALSE'], 'no-force-validator-permit', false],
    [['--no-force-validator-permit=FALSE'], 'no-force-validator-permit', false],
    [['--no-force-validator-permit', 'TRUE', '--netuid', '4'], 'no-force-validator-permit', true],
  ])('%j sets %s to %j', async (argv, name, value) => {
    const { result, stderr, status } = await runCommand(miner, argv)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(result).toMatchObject({ [name]: value })
  })

  it.each([
    [['--api_key', 'abc123'], 'api-key', 'abc123', '--api-key'],
    [['--api_key=abc123'], 'api-key', 'abc123', '--api-key'],
    [['--force_validator.permit'], 'no-force-validator-permit', false, '--no-force-validator-permit'],
    [['--force_validator.permit', 'False'], 'no-force-validator-permit', true, '--no-force-validator-permit'],
    [['--force_validator.permit=TRUE'], 'no-force-validator-permit', false, '--no-force-validator-permit'],
    [['--subtensor._mock'], 'mock', true, '--mock'],
    [['--strict'], 'strict', true, 'no effect'],
    [['--no_version_checking'], 'no_version_checking', true, 'no effect'],
    [['--axon.max_workers', '20'], 'axon.max_workers', 20, 'no effect'],
  ])('the old spelling %j works with a warning', async (argv, name, value, warning) => {
    const { result, stderr } = await runCommand(miner, argv)
    expect(result).toMatchObject({ [name]: value })
    expect(stderr).toContain('Warning: ')
    expect(stderr).toContain(warning)
  })

  it('accepts --timeout of the old README as --miner-timeout', async () => {
    const { result, stderr } = await runCommand(validator, ['--timeout', '8'])
    expect(result).toMatchObject({ 'miner-timeout': 8 })
    expect(stderr).toContain('--miner-timeout')
  })
})

describe('usage errors exit with 2 and one line', () => {
  it.each([
    [['--walet.name', 'x'], 'UNKNOWN_FLAG', 'Did you mean --wallet.name?'],
    [['--axon.prt=1'], 'UNKNOWN_FLAG', 'Did you mean --axon.port?'],
    [['--nonsense-beyond-recognition'], 'UNKNOWN_FLAG', '--help'],
    [['--wallet.name'], 'FLAG_WITHOUT_VALUE', '--wallet.name <value>'],
    [['--wallet.name', '--axon.prt=1'], 'FLAG_WITHOUT_VALUE', '--wallet.name'],
    [['--netuid', '4', '--netuid', '5'], 'USAGE', 'only be specified once'],
    [['--axon.port', 'x'], 'CONFIG_BAD_VALUE', '--axon.port'],
    [['--logging.debug=banana'], 'CONFIG_BAD_VALUE', 'yes/true/t/1'],
    [['stray'], 'USAGE', 'stray'],
  ])('%j', async (argv, code, text) => {
    const { status, stderr, stdout } = await runCommand(miner, argv)
    expect(status).toBe(2)
    expect(stderr).toContain(`Error [${code}]`)
    expect(stderr).toContain(text)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stdout).toBe('')
  })

  it('never repeats the value of a misspelt secret flag', async () => {
    const { stderr } = await runCommand(miner, ['--api-kye=hunter2'])
    expect(stderr).not.toContain('hunter2')
  })

  it('print one document on stdout with --json, nothing on stderr', async () => {
    const { status, stderr, stdout } = await runCommand(miner, ['--walet.name', 'x', '--json'])
    expect({ status, stderr }).toEqual({ status: 2, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'UNKNOWN_FLAG', next: 'Did you mean --wallet.name?', exitStatus: 2 },
    })
  })
})

describe('exit status', () => {
  function failing(error: Error) {
    return class Failing extends BaseCommand {
      static override id = 'failing'
      static override flags = flagsOf('update')
      async run(): Promise<void> {
        await this.readInvocation('update')
        throw error
      }
    }
  }

  it.each([
    ['runtime', 1],
    ['usage', 2],
    ['chain', 3],
    ['upstream', 4],
    ['verification', 5],
    ['update', 6],
    ['hotkey-in-use', 7],
  ] as const)('of fault %s is %i, with and without --json', async (fault, expected) => {
    const command = failing(new TargonError('It broke.', { code: 'TEST', fault }))
    expect((await runCommand(command, [])).status).toBe(expected)
    expect((await runCommand(command, ['--json'])).status).toBe(expected)
  })

  it.each([[[]], [['--json']]])('escapes control characters in peer text: %j', async (flags) => {
    const evil = 'said \u001b[2J\u009b31m\u202etxt.exe\u200f'
    const error = new TargonError(`The peer ${evil}.`, { code: 'TEST', fault: 'upstream', facts: { evil } })
    const { stdout, stderr } = await runCommand(failing(error), flags)
    const written = stdout + stderr
    expect(escapeControlsInLines(written)).toBe(written)
    expect(written).toContain('\\u001b[2J\\u009b31m\\u202etxt.exe\\u200f')
    if (flags.length > 0) expect(JSON.parse(stdout).error.facts.evil).toBe(evil)
    const defect = await runCommand(failing(new RangeError(evil)), flags)
    const told = defect.stdout + defect.stderr
    expect(told).toContain('\\u001b[2J')
    expect(escapeControlsInLines(told)).toBe(told)
  })

  it('is 1 for a defect, which prints its stack', async () => {
    const { status, stderr } = await runCommand(failing(new RangeError('oops')), [])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^Error \[DEFECT\]: .*\/issues\.\nRangeError: oops\n\s+at /)
  })
})

it('a command gives each address of a host enough time for a distant host and a lost packet', async () => {
  setDefaultAutoSelectFamilyAttemptTimeout(250)
  await runCommand(miner, [])
  expect(getDefaultAutoSelectFamilyAttemptTimeout()).toBeGreaterThanOrEqual(2000)
  // The next address has its turn within a connect time-out.
  expect(getDefaultAutoSelectFamilyAttemptTimeout()).toBeLessThanOrEqual(DEFAULT_LIMITS.connectMs / 2)
})

describe('--print-config', () => {
  it('shows each value with unit and source, and masks secrets', async () => {
    const { stdout } = await runCommand(miner, ['--print-config', '--api-key', 'hunter2', '--axon.port', '1'])
    expect(stdout).toMatch(/^axon\.port\s+1\s+← --axon\.port$/m)
    expect(stdout).toMatch(/^netuid\s+4\s+← default$/m)
    expect(stdout).toMatch(/^timestamp-window\s+8000 ms\s+← default$/m)
    expect(stdout).toMatch(/^max-body-bytes\s+4194304 bytes\s+← default$/m)
    expect(stdout).toMatch(/^api-key\s+\*+\s+← --api-key$/m)
    expect(stdout).not.toContain('hunter2')
  })

  it('shows a secret that is not set as its default, and no hidden setting that is not set', async () => {
    const { stdout } = await runCommand(miner, ['--print-config'])
    expect(stdout).toMatch(/^upstreams\s+\(the servers of model-endpoint\)\s+← default$/m)
    expect(stdout).not.toContain('***')
    const json = JSON.parse((await runCommand(miner, ['--print-config', '--json'])).stdout)
    const shown = json.settings.map(({ name }: { name: string }) => name)
    const entries: Readonly<Record<string, Setting>> = settings
    expect(shown.filter((name: string) => entries[name]?.hidden)).toEqual([])
    const given = await runCommand(miner, ['--print-config', '--axon.max_workers', '4'])
    expect(given.stdout).toMatch(/^axon\.max_workers\s+4\s+← --axon\.max_workers$/m)
  })

  it('shows a duration in the unit of the setting, however it was typed', async () => {
    const { stdout } = await runCommand(miner, ['--print-config', '--timestamp-window', '9s'])
    expect(stdout).toMatch(/^timestamp-window\s+9000 ms\s+← --timestamp-window$/m)
    const json = await runCommand(miner, ['--print-config', '--json', '--timestamp-window', '9s'])
    expect(JSON.parse(json.stdout).settings).toContainEqual({
      name: 'timestamp-window',
      value: 9000,
      source: '--timestamp-window',
    })
  })

  it('prints one document with --json', async () => {
    const { stdout } = await runCommand(miner, ['--print-config', '--json', '--netuid', '7'])
    expect(JSON.parse(stdout).settings).toContainEqual({ name: 'netuid', value: 7, source: '--netuid' })
  })
})

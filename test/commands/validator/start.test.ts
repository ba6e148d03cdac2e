import { describe, expect, it } from 'vitest'
import ValidatorStart from '../../../src/commands/validator/start.js'
import { runCommand } from '../../support/cli.js'

describe('targon validator start', () => {
  it('prints the settings of a validator with units and starts nothing with --print-config', async () => {
    const { status, stdout } = await runCommand(ValidatorStart, ['--print-config', '--miner-timeout', '1m'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^miner-timeout\s+60 s\s+← --miner-timeout$/m)
    expect(stdout).toMatch(/^epoch-length\s+360 blocks\s+← default$/m)
    expect(stdout).toMatch(/^round\.max-tokens\s+512-1920 tokens\s+← default$/m)
    expect(stdout).toMatch(/^verification\.burst\s+500 tokens\/s\s+← default$/m)
  })

  it('refuses a missing wallet and says how to create one', async () => {
    const { status, stderr } = await runCommand(ValidatorStart, ['--wallet.path', '/nonexistent'])
    expect(status).toBe(2)
    expect(stderr).toContain('Error [WALLET_NOT_FOUND]')
    expect(stderr).toContain('btcli wallet new-hotkey')
  })

  it.each([
    ['--print-config', 0, []],
    ['a missing wallet', 2, ['--wallet.path', '/nonexistent']],
    ['a bad value of another flag', 2, ['--netuid', 'x']],
    ['a bad value beside a deprecated one', 2, ['--timeout', '8', '--wallet.hotkey', '']],
  ])('shows its warnings once with %s', async (name, expected, argv) => {
    const all = ['--axon.port', '8091', ...argv, ...(name.startsWith('--') ? [name] : [])]
    const { status, stderr } = await runCommand(ValidatorStart, all)
    expect(status).toBe(expected)
    const warning = 'Warning: --axon.port has no effect on a validator; it is accepted because 4.x shared it.'
    expect(stderr.split('\n').filter((line) => line === warning)).toHaveLength(1)
    if (argv.includes('--timeout')) expect(stderr).toContain('Warning: --timeout is deprecated')
  })

  it('lists its warnings in the JSON document of --print-config', async () => {
    const { stdout } = await runCommand(ValidatorStart, ['--print-config', '--json', '--strict'])
    expect(JSON.parse(stdout)).toMatchObject({
      warnings: ['--strict has no effect; it is accepted for compatibility.'],
    })
  })

  it('refuses a flag of another command', async () => {
    const { status, stderr } = await runCommand(ValidatorStart, ['--model-endpoint', 'http://a'])
    expect(status).toBe(2)
    expect(stderr).toContain(
      '--model-endpoint is a flag of targon miner start and targon miner check, not of this command.',
    )
  })
})

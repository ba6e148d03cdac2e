import { describe, expect, it } from 'vitest'
import Localnet from '../../src/commands/localnet.js'
import { runCommand } from '../support/cli.js'

describe('targon localnet', () => {
  it('prints its settings with units and starts nothing with --print-config', async () => {
    const { status, stdout } = await runCommand(Localnet, ['--print-config', '--chain.block-time', '2s'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^chain\.block-time\s+2000 ms\s+← --chain\.block-time$/m)
    expect(stdout).toMatch(/^chain\.tempo\s+30 blocks\s+← default$/m)
    expect(stdout).toMatch(/^epochs\s+\(until Ctrl-C on a terminal, otherwise 2\)\s+← default$/m)
  })

  it.each([
    [['--only', 'cain'], 'CONFIG_BAD_VALUE', 'Did you mean chain?'],
    [['--chain.block-time', '10ms'], 'CONFIG_BAD_VALUE', 'from 50ms to 1m, such as 1000 or 1s, got "10ms"'],
    [['--metrics.port', '1'], 'UNKNOWN_FLAG', 'is a flag of targon miner start and targon validator start'],
    [['stray'], 'USAGE', 'Unexpected argument stray'],
  ])('refuses %j before it starts anything', async (argv, code, text) => {
    const { status, stderr, stdout } = await runCommand(Localnet, argv)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(`Error [${code}]`)
    expect(stderr).toContain(text)
  })
})

import { describe, expect, it } from 'vitest'
import Init from '../../src/commands/init.js'
import { runCommand } from '../support/cli.js'

describe('targon init without a terminal', () => {
  it('asks for the role as an argument', async () => {
    const { status, stderr } = await runCommand(Init, [])
    expect(status).toBe(2)
    expect(stderr).toMatch(/SETUP_INCOMPLETE.*the role \(miner, validator or hub\)/s)
  })

  it('names the flags that are missing', async () => {
    const { status, stdout } = await runCommand(Init, ['validator', '--wallet.name', 'mine', '--json'])
    expect(status).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: 'SETUP_INCOMPLETE',
        message: expect.stringContaining('--wallet.hotkey, --engine.endpoints'),
      },
    })
  })
})

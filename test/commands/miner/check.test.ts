import { existsSync, readdirSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import MinerCheck from '../../../src/commands/miner/check.js'
import { systemClock } from '../../../src/kernel/clock.js'
import {
  type DevelopmentEngine,
  type DevelopmentEngineOptions,
  startDevelopmentEngine,
} from '../../../src/localnet/engine/index.js'
import { runCommand } from '../../support/cli.js'
import { temporaryFolder } from '../../support/temporary-folder.js'

const engines: DevelopmentEngine[] = []

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
})

async function flagsOf(options: Partial<DevelopmentEngineOptions>): Promise<string[]> {
  const models = ['targon-dev/small-a']
  const engine = await startDevelopmentEngine(
    { port: 0, models, tokensPerSecond: 2000, ...options },
    { clock: systemClock },
  )
  engines.push(engine)
  return [
    '--model-endpoint',
    `${engine.url}/v1`,
    '--engine.hub-url',
    engine.url,
    '--answers',
    '4',
    '--seed',
    'x',
  ]
}

describe('targon miner check', { timeout: 60_000 }, () => {
  it('prints what a validator will see and ends with 0', async () => {
    const { status, stdout } = await runCommand(MinerCheck, await flagsOf({ returnTokensAsTokenIds: true }))
    expect(stdout).toMatch(/targon-dev\/small-a: 4 of 4 answers verified/)
    expect(stdout).toContain('A validator would verify everything.')
    expect(status).toBe(0)
  })

  it('ends with 1 when a validator would not verify everything, and prints the same as JSON', async () => {
    const flags = await flagsOf({ dialect: 'v0' })
    let exitCode: unknown
    const command = {
      run: async (...given: Parameters<typeof MinerCheck.run>) => {
        const result = await MinerCheck.run(...given)
        exitCode = process.exitCode
        return result
      },
    }
    const { stdout } = await runCommand(command, [...flags, '--json'])
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      verified: false,
      servers: [{ findings: [{ code: 'token-ids-missing', weight: 'fails' }], models: [] }],
    })
  })

  it('writes nothing to the disk', async () => {
    const home = temporaryFolder('check')
    const before = process.env.XDG_CACHE_HOME
    process.env.XDG_CACHE_HOME = home
    try {
      await runCommand(MinerCheck, await flagsOf({ returnTokensAsTokenIds: true }))
    } finally {
      if (before === undefined) delete process.env.XDG_CACHE_HOME
      else process.env.XDG_CACHE_HOME = before
    }
    expect(existsSync(home) && readdirSync(home)).toEqual([])
  })

  it.each([
    [['--against', 'no-url'], 'ENGINE_ENDPOINTS'],
    [['--answers', '2'], 'USAGE'],
    [['--model-endpoint', 'http://user:word@127.0.0.1:1/v1'], 'BAD_UPSTREAM'],
  ])('refuses %j', async (flags, code) => {
    const { status, stdout } = await runCommand(MinerCheck, [...flags, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ error: { code } })
    expect(status).toBe(2)
  })
})

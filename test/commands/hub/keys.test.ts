import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ApiKey, openAccounts } from '../../../src/accounts/index.js'
import HubKeysCreate from '../../../src/commands/hub/keys/create.js'
import HubKeysLimits from '../../../src/commands/hub/keys/limits.js'
import HubKeysList from '../../../src/commands/hub/keys/list.js'
import HubKeysRevoke from '../../../src/commands/hub/keys/revoke.js'
import HubUsage from '../../../src/commands/hub/usage.js'
import { systemClock } from '../../../src/kernel/clock.js'
import { silent } from '../../accounts/accounts-suite.js'
import { type Outcome, runCommand } from '../../support/cli.js'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-keys-'))
  file = join(folder, 'w', 'h', 'netuid4', 'hub', 'accounts.sqlite')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function run(command: Parameters<typeof runCommand>[0], ...words: string[]): Promise<Outcome> {
  const place = [
    '--logging.logging_dir',
    folder,
    '--wallet.name',
    'w',
    '--wallet.hotkey',
    'h',
    '--netuid',
    '4',
  ]
  return runCommand(command, [...words, ...place])
}

/** What a hub does for one request with this secret. */
async function use(secret: string, model: string, tokens: number): Promise<ApiKey | undefined> {
  const accounts = openAccounts({ place: { file }, clock: systemClock, log: silent })
  try {
    const key = await accounts.find(secret)
    if (!key) return undefined
    const answer = await accounts.reserve(key, { model, tokens }, new AbortController().signal)
    if (answer.kind === 'refused') throw new Error(answer.reason)
    await answer.settle({ promptTokens: 1, completionTokens: tokens - 1 })
    return key
  } finally {
    await accounts.close()
  }
}

it('creates a key, shows its secret once, lists, changes and revokes it, and shows what it used', async () => {
  const created = await run(
    HubKeysCreate,
    ...['ann', '--budget', '1000', '--requests-per-minute', '60', '--expires', '30d', '--no-retention'],
  )
  const secret = created.stdout.trim()
  expect(secret).toMatch(/^sk-targon-[\w-]{43}$/)
  const id = /key_[0-9a-f]+/.exec(created.stderr)?.[0] ?? ''
  expect(created.stderr).toBe(`Created ${id} for ann. Its secret is shown only this once:\n`)

  const key = await use(secret, 'org/m', 50)
  expect(key).toMatchObject({ id, name: 'ann', isRetained: false, limits: { budgetTokens: 1000 } })
  await use(secret, '=org/evil', 7)

  const listed = await run(HubKeysList)
  expect(listed.stdout).toMatch(
    new RegExp(`^${id}\\s+ann\\s+active\\s+60\\s+-\\s+0\\s+57/1000\\s+all\\s+20`, 'm'),
  )
  expect(listed.stdout).not.toContain(secret.slice(10))

  const changed = await run(HubKeysLimits, id, '--budget', 'none', '--models', 'org/a, org/b', '--retention')
  expect(changed.result).toMatchObject({
    ...{ id, isRetained: true, spentTokens: 57 },
    limits: { requestsPerMinute: 60, models: ['org/a', 'org/b'], expiresAt: expect.any(String) },
  })
  expect(changed.result).not.toHaveProperty('limits.budgetTokens')
  await expect(use(secret, 'org/m', 1)).rejects.toThrow('model')

  const usage = await run(HubUsage)
  expect(usage.stdout).toMatch(new RegExp(`^${id}\\s+ann\\s+org/m\\s+1\\s+1\\s+49\\s+0\\s+50$`, 'm'))
  expect(usage.stdout).toMatch(/^all\s+2\s+2\s+55\s+0\s+57$/m)
  const csv = (await run(HubUsage, '--csv', '--since', '1h', '--key', id)).stdout.trim().split('\n')
  expect(csv[0]).toBe('hour,key,name,model,requests,prompt_tokens,completion_tokens,unsettled_tokens')
  expect(csv[1]).toMatch(new RegExp(`^20.*T..:00:00.000Z,${id},ann,'=org/evil,1,1,6,0$`))
  expect((await run(HubUsage, '--until', '2026-01-01')).stdout).toBe('Nothing was used in this period.\n')

  expect((await run(HubKeysRevoke, id)).stdout).toBe(`Revoked ${id} of ann.\n`)
  expect(await use(secret, 'org/a', 1)).toBeUndefined()
  expect((await run(HubKeysList)).stdout).toContain('revoked')
})

it('creates nothing to list, change or revoke', async () => {
  expect((await run(HubKeysList)).stdout).toBe(
    'There are no keys. Create one with: targon hub keys create NAME\n',
  )
  expect((await run(HubUsage)).result).toMatchObject({ usage: [] })
  const unknown = await run(HubKeysRevoke, 'key_1')
  expect(unknown.status).toBe(2)
  expect(unknown.stderr).toContain('Error [KEY_UNKNOWN]: There is no key key_1.')
  expect((await run(HubKeysLimits, 'key_1', '--budget', '5')).stderr).toContain('KEY_UNKNOWN')
  expect(await readdir(folder)).toEqual([])
})

it.each([
  [['ann', '--budget', '0'], '--budget must be a whole number from 1 to 1000000000000, or none, got "0".'],
  [['ann', '--concurrent', '2.5'], '--concurrent must be a whole number'],
  [['ann', '--models', ' , '], '--models must be names of models with commas between them'],
  [['ann', '--expires', 'soon'], '--expires must be a span such as 30d, 12h or 15m, or a date'],
  [['ann', '--expires', '2020-01-01'], '--expires must be a time that lies ahead'],
  [['a\nb'], '"a\\nb" cannot be the name of a key.'],
])('refuses %j and creates nothing', async (words, message) => {
  const refused = await run(HubKeysCreate, ...words)
  expect(refused.status).toBe(2)
  expect(refused.stderr).toContain(message)
  expect(await readdir(folder)).toEqual([])
})

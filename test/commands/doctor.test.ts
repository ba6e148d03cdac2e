import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import DoctorCommand from '../../src/commands/doctor.js'
import { runCommand } from '../support/cli.js'
import { freePort } from '../support/free-port.js'
import { temporaryFolder } from '../support/temporary-folder.js'

/** A neuron of which nothing exists: no wallet, and no chain answers. */
async function emptyFlags() {
  const folder = temporaryFolder('doctor-command')
  const chain = ['--subtensor.chain_endpoint', `ws://127.0.0.1:${await freePort()}`]
  const folders = ['--wallet.path', join(folder, 'wallets'), '--logging.logging_dir', join(folder, 'state')]
  return { folder, flags: [...chain, ...folders] }
}

interface Document {
  readonly role: string | null
  readonly healthy: boolean
  readonly findings: readonly { check: string; state: string; saw: string; next?: string }[]
}

function statesOf({ findings }: Document): Record<string, string> {
  return Object.fromEntries(findings.map(({ check, state }) => [check, state]))
}

describe('targon doctor', { timeout: 60_000 }, () => {
  it('prints one document with --json, exits with 1 when something has to be mended, and creates no folder', async () => {
    const { flags } = await emptyFlags()
    const outcome = await runCommand(DoctorCommand, ['--json', ...flags])
    const document = JSON.parse(outcome.stdout) as Document
    expect(outcome.status).toBe(1)
    expect(document).toMatchObject({ role: null, healthy: false })
    expect(statesOf(document)).toMatchObject({
      ...{ node: 'ok', disk: 'ok', chain: 'fail', wallet: 'fail', registration: 'skip' },
    })
    for (const { state, next } of document.findings)
      if (state === 'fail' || state === 'warn') expect(next).toBeTruthy()
  })

  it('takes the role from the settings where only one is configured, and prints a line per finding', async () => {
    const { flags } = await emptyFlags()
    const { stdout, status } = await runCommand(DoctorCommand, [
      ...flags,
      ...['--model-endpoint', `http://127.0.0.1:${await freePort()}/v1`],
    ])
    expect(status).toBe(1)
    expect(stdout).toMatch(/^ok {4}node {10}Node\.js/m)
    expect(stdout).toMatch(/^fail {2}upstream {6}\S+: The server cannot be used/m)
    expect(stdout).toMatch(/^ {6}→ Start the server/m)
    expect(stdout).toMatch(/\d+ to mend/)
  })

  it('reports settings that cannot be read as a finding, with what needs none', async () => {
    const { folder, flags } = await emptyFlags()
    const config = join(folder, 'targon.json')
    writeFileSync(config, '{"walet.name": "x"}')
    const outcome = await runCommand(DoctorCommand, ['miner', '--json', '--config', config, ...flags])
    const { findings } = JSON.parse(outcome.stdout) as Document
    expect(outcome.status).toBe(1)
    expect(findings.map(({ check, state }) => `${state} ${check}`)).toEqual([
      ...['fail settings', 'ok node', 'ok descriptors'],
    ])
    expect(findings[0]?.saw).toContain('walet.name')
  })

  it('refuses a role that does not exist as a usage error', async () => {
    const { status } = await runCommand(DoctorCommand, ['query'])
    expect(status).toBe(2)
  })
})

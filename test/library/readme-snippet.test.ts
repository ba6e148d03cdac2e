import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { verifyRequest } from '../../src/epistula/index.js'
import { writeDevelopmentWallet } from '../../src/wallet/index.js'
import { compiledUrl } from '../support/compiled-program.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { chatChunk, DONE, event, startEvents, startStreamServer } from '../support/stream-server.js'

const readme = new URL('../../README.md', import.meta.url)
const closers: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** The first code block of the README that queries a miner. */
function readSnippet(): string {
  const blocks = readFileSync(readme, 'utf8').matchAll(/```(?:ts|js|typescript|javascript)\n([\s\S]*?)```/g)
  const found = [...blocks].map((block) => block[1] ?? '').find((code) => code.includes('minerClient'))
  if (found === undefined) throw new Error('README.md has no snippet with minerClient')
  return found
}

/** Runs code in the root of the project, with `targon` resolved to its compiled source. */
async function runSnippet(code: string, home: string): Promise<{ stdout: string; stderr: string }> {
  const door = compiledUrl(new URL('../../src/index.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', code.replace(/(['"])targon\1/, JSON.stringify(door))],
    { cwd: new URL('../../', import.meta.url), env: { ...process.env, HOME: home } },
  )
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (part) => {
    stdout += part
  })
  child.stderr.on('data', (part) => {
    stderr += part
  })
  await new Promise((resolve) => child.on('close', resolve))
  return { stdout, stderr }
}

test('the README snippet queries a miner', async () => {
  const miner = await hotkeyOf(2)
  const server = await startStreamServer((response) =>
    startEvents(response).end(event(chatChunk('Hel', 1)) + event(chatChunk('lo', 2)) + DONE),
  )
  closers.push(() => server.close())
  const home = await mkdtemp(join(tmpdir(), 'snippet-'))
  closers.push(() => rm(home, { recursive: true }))
  const snippet = readSnippet()
  const named = (field: string) => new RegExp(`\\b${field}: *['"]([^'"]+)['"]`).exec(snippet)?.[1] ?? ''
  await writeDevelopmentWallet(join(home, '.bittensor', 'wallets'), named('name'), [
    { name: named('hotkey'), seed: new Uint8Array(32).fill(9) },
  ])
  const code = snippet
    .replace(/address: *'[^']*'/, `address: '${server.url.replace('http://', '')}'`)
    .replace(/hotkey: *'5F[^']*'/, `hotkey: '${miner.address}'`)
  const { stdout, stderr } = await runSnippet(code, home)
  expect(stderr).toBe('')
  expect(stdout).toContain('Hello')
  const { distinct: headers, body } = server.received[0] ?? { distinct: {}, body: Buffer.of() }
  expect(verifyRequest({ headers, body, nowMs: Date.now(), signedFor: miner.address })).toMatchObject({
    ok: true,
    signedBy: (await hotkeyOf(9)).address,
  })
})

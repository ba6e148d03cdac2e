import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { nodeArgumentsOf } from '../../../support/compiled-program.js'
import { removeTemporaryFolders, temporaryFolder } from '../../../support/temporary-folder.js'

afterAll(removeTemporaryFolders)

const KILLS = 8

test('a hub that is killed again and again hands out no answer twice and no damaged one', {
  timeout: 240_000,
}, async () => {
  const keeper = nodeArgumentsOf(new URL('keeper.ts', import.meta.url))
  const folder = temporaryFolder('killed')
  const bucketOf = new Map<string, string>()
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, [...keeper, folder], { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    let said = ''
    child.stdout.on('data', (data) => {
      text += data
    })
    child.stderr.on('data', (data) => {
      said += data
    })
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
    // Another process's clock is the subject: it is killed somewhere between two of its buckets.
    await sleep(20 + Math.random() * 200)
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(said).toBe('')
    // The last line may be cut.
    for (const line of text.split('\n').slice(0, -1)) {
      const { bucket, ids } = JSON.parse(line) as { bucket: string; ids: string[] }
      for (const id of ids) {
        expect(bucketOf.get(id) ?? bucket, `bucket of ${id}`).toBe(bucket)
        bucketOf.set(id, bucket)
      }
    }
  }
  expect(new Set(bucketOf.values()).size).toBeGreaterThan(KILLS)
})

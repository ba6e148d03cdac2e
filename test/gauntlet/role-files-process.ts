import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runRole } from '../../src/cli/index.js'
import { resolveSettings } from '../../src/config/index.js'
import { migrate, openDatabase } from '../../src/history/index.js'
import { lockHotkey } from '../../src/kernel/hotkey-lock.js'
import { saveModelList } from '../../src/models/model-list.js'
import { openScoreFile, ScoreBook } from '../../src/scoring/index.js'

/**
 * Writes every file a validator keeps, in a process with umask 0. Arguments: folder; `careless` writes them outside of a
 * role, as if every writer had to set the file modes itself.
 */
const [folder = '', manner = ''] = process.argv.slice(2)
const flags = {
  'logging.logging_dir': folder,
  'logging.record_log': true,
  'wallet.name': 'w',
  'wallet.hotkey': 'h',
}
const { values } = resolveSettings('validator', { flags, env: {} })

/** Left open, so that the files beside it exist when this process is killed. */
async function writeHistory(file: string): Promise<void> {
  await migrate(await openDatabase({ file }))
}

async function write(stateDir: string): Promise<void> {
  const clock = { now: Date.now, monotonic: () => performance.now(), sleep: async () => {} }
  const log = { info: () => {}, warn: () => {} }
  await lockHotkey({ path: join(stateDir, 'weights.json.lock'), use: 'runs', clock, log })
  await saveModelList(stateDir, ['org/model'])
  const file = openScoreFile(join(stateDir, 'scores.json'))
  for (let save = 0; save < 2; save++) await file.save(new ScoreBook().toData())
  await writeHistory(join(stateDir, 'history.sqlite'))
  await mkdir(join(stateDir, 'of-a-library'))
  await writeFile(join(stateDir, 'of-a-library', 'file'), 'written without a mode')
}

if (manner === 'careless') await write(folder)
else {
  const start = async ({ stateDir }: { stateDir: string }) => ({ done: write(stateDir) })
  await runRole({ role: 'validator', settings: values, hotkey: 'none', warnings: [], start })
}
// killed, so that the lock file is still there for the test to inspect
process.kill(process.pid, 'SIGKILL')

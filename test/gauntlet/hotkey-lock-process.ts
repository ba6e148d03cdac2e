import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/kernel/clock.js'
import { lockHotkey } from '../../src/kernel/hotkey-lock.js'
import { validatorLockPath } from '../../src/roles/validator/reports/records.js'

/** Waits for a line on stdin, locks the hotkey, prints the outcome, and holds the lock until stdin ends. */
const [folder = '', name = '', way = 'lock'] = process.argv.slice(2)
const print = (text: string) => process.stdout.write(`${text}\n`)

/** The control: checks for the file, then creates it. */
async function lockNaively(): Promise<void> {
  const path = join(folder, 'validator.pid')
  if (existsSync(path)) throw Object.assign(new Error('held'), { code: 'HOTKEY_IN_USE' })
  await new Promise((resolve) => setTimeout(resolve, 5))
  writeFileSync(path, String(process.pid))
}

async function run(): Promise<void> {
  try {
    if (way === 'naive') await lockNaively()
    else
      await lockHotkey({
        path: validatorLockPath(join(folder, name)),
        use: 'validates',
        clock: systemClock,
        log: { info: () => {}, warn: () => print('lost') },
        waitMs: 0,
      })
    print('runs')
  } catch (error) {
    print(String((error as { code?: unknown }).code))
  }
}

process.stdin.once('data', () => void run())
process.stdin.on('end', () => process.exit(0))
print('ready')

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Hook } from '@oclif/core'

const REPLY = /(compgen -W "\$opts" -- [^|)]+)\)/

/**
 * oclif's hook after each command: the bash completion that `targon autocomplete` writes offers a topic once per command of the
 * topic, so its replies are made unique.
 */
export const completeOnce: Hook.Postrun = async ({ Command, config }) => {
  if (!/^autocomplete(:create)?$/.test(Command.id)) return
  const file = join(config.cacheDir, 'autocomplete', 'functions', 'bash', `${config.bin}.bash`)
  const script = await readFile(file, 'utf8').catch(() => '')
  const unique = script.replace(REPLY, '$1 | sort -u)')
  if (unique !== script) await writeFile(file, unique)
}

import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseModelList } from './model-endpoint.js'

/** The last list the endpoint gave, so that a restart while it is down changes nothing. */
export async function readLastGoodList(stateDir: string): Promise<string[]> {
  try {
    return parseModelList(JSON.parse(await readFile(fileIn(stateDir), 'utf8')))
  } catch {
    // Absent or damaged: as if there had been none.
    return []
  }
}

export async function keepLastGoodList(stateDir: string, names: readonly string[]): Promise<void> {
  const temporary = `${fileIn(stateDir)}.${randomUUID()}.tmp`
  await writeFile(temporary, JSON.stringify(names), { mode: 0o600 })
  await rename(temporary, fileIn(stateDir))
}

function fileIn(stateDir: string): string {
  return join(stateDir, 'models.json')
}

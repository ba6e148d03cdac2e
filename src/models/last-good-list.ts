import { join } from 'node:path'
import { parseJson, readIfExists, replaceFile } from '../kernel/index.js'
import { parseModelList } from './model-endpoint.js'

/** The last list the endpoint gave, so that a restart while it is down changes nothing; none is an empty one. */
export async function readLastGoodList(stateDir: string): Promise<string[]> {
  // Damaged, or on a disk that does not answer: as if there had been none.
  const text = await readIfExists(fileIn(stateDir)).catch(() => undefined)
  return parseModelList(parseJson(text ?? ''))
}

/** @throws the file system's error; the list before is then still there. */
export async function keepLastGoodList(stateDir: string, names: readonly string[]): Promise<void> {
  await replaceFile(fileIn(stateDir), JSON.stringify(names))
}

function fileIn(stateDir: string): string {
  return join(stateDir, 'models.json')
}

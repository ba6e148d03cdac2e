import { createHash } from 'node:crypto'
import { appendFile, copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type KeptAnswer, keepAnswer, keptAnswerSchema, type WeighedAnswer } from '../../../bundles/index.js'
import { type Clock, hasCode, type Log, parseJson, readIfExists, replaceFile } from '../../../kernel/index.js'

/** Lines of strangers' tokens are parsed again: bounds on what one line may hold. */
const BOUNDS = { depth: 24, values: 20_000 }
const FOLDER = 'answers'
const ALARM = '.alarm.jsonl'
/** Answers that may wait for the disk: a few rounds of them. */
const MAX_WAITING = 1024
/** The wanted models change, so a file to which nothing was added for so long is removed. */
const UNUSED_MS = 30 * 86_400_000

export interface KeptAnswersOptions {
  readonly stateDir: string
  /** Answers kept per miner and model; 0: none. */
  readonly limit: number
  readonly log: Pick<Log, 'warn'>
  readonly clock: Pick<Clock, 'now'>
}

/**
 * The last answers of each miner and model with what a replay needs, one JSON line each, in a file per pair. A file holds up
 * to twice the limit before it is shortened, and is removed after 30 days without a new answer. Files are not synced: a power
 * failure may cost the last lines.
 */
export class KeptAnswers {
  readonly #options: KeptAnswersOptions
  readonly #lines = new Map<string, number>()
  #writing: Promise<void> = Promise.resolve()
  #waiting = 0
  /** The registered hotkeys, while the removal of other files waits. */
  #registered: ReadonlySet<string> | undefined
  #hasFailed = false

  constructor(options: KeptAnswersOptions) {
    this.#options = options
  }

  /** Adds an answer in the background. @param isAlarm the answers so far are kept apart, so that later ones do not replace them */
  add(hotkey: string, model: string, weighed: WeighedAnswer, isAlarm: boolean): void {
    if (this.#options.limit === 0) return
    if (this.#waiting >= MAX_WAITING) {
      this.#noteLost(new Error(`${MAX_WAITING} answers already wait for the disk`))
      return
    }
    this.#waiting++
    this.#writing = this.#writing
      .then(() => this.#append(hotkey, model, weighed, isAlarm))
      .then(
        () => {
          this.#hasFailed = false
        },
        (error: unknown) => this.#noteLost(error),
      )
      .finally(() => {
        this.#waiting--
      })
  }

  /** Removes the files of miners that are not among these, and of pairs without a new answer for 30 days. */
  keepOnly(hotkeys: ReadonlySet<string>): void {
    const isWaiting = this.#registered !== undefined
    this.#registered = hotkeys
    if (isWaiting) return
    this.#writing = this.#writing
      .then(() => {
        const registered = this.#registered ?? hotkeys
        this.#registered = undefined
        return this.#removeOthers(registered)
      })
      .catch(() => {})
  }

  /** Resolves when all answers are written. Never rejects. */
  written(): Promise<void> {
    return this.#writing
  }

  #noteLost(error: unknown): void {
    if (!this.#hasFailed)
      this.#options.log.warn(
        { event: 'evidence-answer-lost', err: error },
        'could not keep an answer for later replays; the evidence itself is not affected',
      )
    this.#hasFailed = true
  }

  async #append(hotkey: string, model: string, weighed: WeighedAnswer, isAlarm: boolean): Promise<void> {
    const { stateDir, limit } = this.#options
    const { folder, path, alarmPath } = placeOf(stateDir, hotkey, model)
    const before = this.#lines.get(path) ?? linesOf(await readIfExists(path)).length
    const kept = await keepAnswer(weighed)
    await appendLine(folder, path, `${JSON.stringify(kept)}\n`)
    this.#lines.set(path, before + 1)
    if (before + 1 >= 2 * limit) {
      const last = linesOf(await readIfExists(path)).slice(-limit)
      await replaceFile(path, `${last.join('\n')}\n`)
      this.#lines.set(path, last.length)
    }
    if (isAlarm) await copyFile(path, alarmPath)
  }

  async #removeOthers(hotkeys: ReadonlySet<string>): Promise<void> {
    const folder = join(this.#options.stateDir, FOLDER)
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      if (hotkeys.has(name.split('-', 1)[0] ?? '') && !(await this.#isUnused(path))) continue
      await rm(path, { force: true })
      this.#lines.delete(path)
    }
  }

  /** Answers before an alarm stay as long as the miner: they show why it is accused. */
  async #isUnused(path: string): Promise<boolean> {
    if (path.endsWith(ALARM)) return false
    return (await stat(path)).mtimeMs < this.#options.clock.now() - UNUSED_MS
  }
}

/** The kept answers of a miner and model: those before its last alarm, or the last ones. */
export async function readKeptAnswers(
  stateDir: string,
  hotkey: string,
  model: string,
  which: 'alarm' | 'last',
): Promise<readonly KeptAnswer[]> {
  const { path, alarmPath } = placeOf(stateDir, hotkey, model)
  const text = await readIfExists(which === 'alarm' ? alarmPath : path)
  // A line that a power failure cut off is left out.
  return linesOf(text).flatMap((line) => keptAnswerSchema.safeParse(parseJson(line, BOUNDS)).data ?? [])
}

/** Models of which answers of this miner are kept. */
export async function keptModels(stateDir: string, hotkey: string): Promise<readonly string[]> {
  const folder = join(stateDir, FOLDER)
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  })
  const models = new Set<string>()
  for (const name of names) {
    if (!name.startsWith(`${hotkey}-`)) continue
    const [line = ''] = linesOf(await readIfExists(join(folder, name)))
    const kept = keptAnswerSchema.safeParse(parseJson(line, BOUNDS)).data
    if (kept) models.add(kept.request.model)
  }
  return [...models].sort()
}

/** Makes the folder only when it is missing: most answers find it there. */
async function appendLine(folder: string, path: string, line: string): Promise<void> {
  try {
    await appendFile(path, line, { mode: 0o600 })
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await appendFile(path, line, { mode: 0o600 })
  }
}

/** `answers/<hotkey>-<hash of the model>.jsonl`, and `.alarm.jsonl` beside it. */
function placeOf(stateDir: string, hotkey: string, model: string) {
  const folder = join(stateDir, FOLDER)
  const name = `${hotkey}-${createHash('sha256').update(model).digest('hex').slice(0, 16)}`
  return { folder, path: join(folder, `${name}.jsonl`), alarmPath: join(folder, `${name}${ALARM}`) }
}

function linesOf(text: string | undefined): string[] {
  return (text ?? '').split('\n').filter((line) => line !== '')
}

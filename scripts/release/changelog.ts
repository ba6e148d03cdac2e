import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ReleasePlan } from './plan.js'

export const CHANGELOG = 'CHANGELOG.md'
const UNRELEASED = 'Unreleased'

/** Whether the changelog says what is new: in an entry of this version, under Unreleased, or by the note of the plan. */
export function hasChangelogEntry({ folder, version, note }: ReleasePlan): boolean {
  const text = readChangelog(folder)
  return (
    note !== undefined || isWritten(findSection(text, version)) || isWritten(findSection(text, UNRELEASED))
  )
}

/** Turns the Unreleased section into the entry of this version; leaves an entry that already exists as it is. */
export function writeChangelog({ folder, version, note, now }: ReleasePlan): void {
  const text = readChangelog(folder)
  if (isWritten(findSection(text, version))) return
  const pending = findSection(text, UNRELEASED)
  const body = [note, pending?.body].filter((part) => part !== undefined && part !== '').join('\n\n')
  const entry = `## [${version}] - ${now.toISOString().slice(0, 10)}\n\n${body}`.trimEnd()
  const [before, after] = pending
    ? [text.slice(0, pending.from), text.slice(pending.to)]
    : splitAtFirstEntry(text)
  const sections = [before, `## [${UNRELEASED}]`, entry, after].map((part) => part.trim())
  writeFileSync(join(folder, CHANGELOG), `${sections.filter((part) => part !== '').join('\n\n')}\n`)
}

interface Section {
  readonly from: number
  readonly to: number
  readonly body: string
}

function readChangelog(folder: string): string {
  const path = join(folder, CHANGELOG)
  return existsSync(path) ? readFileSync(path, 'utf8') : '# Changelog\n'
}

/** The section under `## [name]`, up to the next heading of its level. */
function findSection(text: string, name: string): Section | undefined {
  const heading = new RegExp(`^## \\[${name.replaceAll('.', '\\.')}\\].*$`, 'm').exec(text)
  if (!heading) return undefined
  const start = heading.index + heading[0].length
  const length = text.slice(start).search(/^## /m)
  const to = length < 0 ? text.length : start + length
  return { from: heading.index, to, body: text.slice(start, to).trim() }
}

/** Whether a section contains more than headings. */
function isWritten(section: Section | undefined): boolean {
  return section?.body.split('\n').some((line) => line.trim() !== '' && !line.startsWith('#')) ?? false
}

function splitAtFirstEntry(text: string): [string, string] {
  const at = text.search(/^## /m)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)]
}

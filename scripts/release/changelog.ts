import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Git, type ReleasePlan, readPackage } from './plan.js'

export const CHANGELOG = 'CHANGELOG.md'

/** Commits a user of a release can notice, since the present version was released. */
export function noticeableChanges({ folder }: ReleasePlan, git: Git): string[] {
  const last = `v${readPackage(folder).version}`
  const range = git(['tag', '--list', last]).trim() === '' ? [] : [`${last}..HEAD`]
  const subjects = git(['log', '--no-merges', '--format=%s', ...range]).split('\n')
  return subjects.filter((subject) => /^(feat|fix|perf|refactor)\b/.test(subject))
}

/** Puts the entry of this version on top. */
export function writeChangelog(plan: ReleasePlan, changes: readonly string[]): void {
  const path = join(plan.folder, CHANGELOG)
  const old = existsSync(path) ? readFileSync(path, 'utf8').replace(/^# Changelog\n+/, '') : ''
  const note = plan.note === undefined ? [] : [plan.note, '']
  const lines = [...note, ...changes.map((subject) => `- ${subject}`)].join('\n').trim()
  const date = plan.now.toISOString().slice(0, 10)
  writeFileSync(path, `# Changelog\n\n## ${plan.version} (${date})\n\n${lines}\n\n${old}`)
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ReleasePlan } from './plan.js'

const CHART = 'deploy/helm/Chart.yaml'

/** Gives the Helm chart the version of the release, for itself and for its image. @returns the files it changed. */
export function writeChart({ folder, version }: ReleasePlan): string[] {
  const path = join(folder, CHART)
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.replace(/^(version|appVersion): .*$/gm, `$1: ${version}`))
  return [CHART]
}

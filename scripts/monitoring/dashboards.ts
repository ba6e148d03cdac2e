import { evidence } from './dashboards/evidence.js'
import { fleet } from './dashboards/fleet.js'
import { hub } from './dashboards/hub.js'
import { miner } from './dashboards/miner.js'
import { overview } from './dashboards/overview.js'
import { validator } from './dashboards/validator.js'
import type { Dashboard } from './panels.js'

/** By the name of their file. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  overview,
  miner,
  validator,
  hub,
  fleet,
  evidence,
}

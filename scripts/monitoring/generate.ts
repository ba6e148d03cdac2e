// node --import tsx scripts/monitoring/generate.ts: writes the dashboards for Grafana.
import { writeFileSync } from 'node:fs'
import { dashboards } from './dashboards.js'
import { renderDashboard } from './panels.js'

for (const [name, dashboard] of Object.entries(dashboards))
  writeFileSync(
    new URL(`../../deploy/monitoring/grafana/${name}.json`, import.meta.url),
    renderDashboard(dashboard),
  )

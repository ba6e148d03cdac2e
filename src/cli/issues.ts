/** Where defects are reported; `bugs` of package.json. */
export const ISSUES_URL = 'https://github.com/manifold-inc/targon/issues'

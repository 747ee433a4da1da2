/** The doors. Each hands bytes and names to the one story, and gives its reply the shape that its caller knows. */
export { type AdminPlane, adminPlane } from './admin-plane.ts'
export { adminRefusal } from './admin-token.ts'
export { type AgentPlane, agentPlane } from './agent-plane.ts'
export { type Listener, listen } from './listen.ts'
export { createMetrics, type Metrics } from './metrics.ts'
export { type ApiSchemas, openApi } from './openapi.ts'
export { type Service, serviceRoutes } from './service.ts'
export { surfaces } from './surface.ts'

# What the tests of the library start from: a refund of 5.00 USD, and data with one project policy.
package call_test

import rego.v1

refund := {
	"provider": "stripe",
	"operation": "create_refund",
	"group": "payments.refund",
	"effect": "write",
	"action": "stripe:refunds:create",
	"resource": "stripe.com/v1/refunds",
	"method": "POST",
	"path": "/v1/refunds",
	"params": {"charge": "ch_1", "amount": 500},
	"guarded": [],
	"amount": {"value": 500, "currency": "usd"},
	"customer": "cus_1",
	"agent": {"id": "billing-1", "role": "support-tier-1"},
	"organisation": "acme",
	"occurrence": 1,
	"key": {"id": "vk_1"},
	"time": "2026-11-21T09:00:00.000Z",
	"spend": [],
}

changed(changes) := object.union(refund, changes)

codes(decision) := {reason.code | some reason in decision.reasons}

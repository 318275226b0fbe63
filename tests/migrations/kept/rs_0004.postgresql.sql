-- Rows that the code of this schema wrote. Never change them: there are such databases.

INSERT INTO ragstore.rag_collection ("tenant_id", "id", "name", "language", "languages", "metadata", "salt", "generation", "analyzed_chunks", "average_length", "analyzed_at", "created_at") VALUES
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', 'manual', 'en', '[]', '{"shelf": null}', '15737455', '1', '4', '5.25', '2026-11-23 13:11:00.909336+00', '2026-11-23 13:11:00.881929+00'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', 'manual', 'en', '[]', '{"shelf": null}', '2166097', '1', '4', '5.25', '2026-11-23 13:11:00.798285+00', '2026-11-23 13:11:00.702866+00');

INSERT INTO ragstore.rag_conversation ("tenant_id", "id", "thread_id", "user_id", "organisation_id", "collection", "title", "pinned", "metadata", "head", "leaf_id", "created_at", "last_activity", "branched", "language", "searchable", "words") VALUES
    ('acme', '01a20888-0234-775d-9005-3d82dc35f5d8', 'chat-1', 'ada', 'engines', 'manual', NULL, 'false', '{}', '2', '01a20888-0234-775d-9005-3d810a5a0b05', '2026-11-23 13:11:00.917189+00', '2026-11-23 13:11:00.917303+00', 'false', 'en', '2', '8'),
    ('acme', '01a20888-0239-72bf-9b85-f7463a1c8a70', 'nobody''s', NULL, NULL, NULL, 'Pinned; ''quoted''', 'true', '{"deep": {"er": [1, null]}}', '3', '01a20888-0239-72bf-9b85-f745e103f9d4', '2026-11-23 13:11:00.921533+00', '2026-11-23 13:11:00.921679+00', 'false', 'en', '1', '8'),
    ('acme', '01a20888-023b-7015-a897-2b7475021731', 'branched', NULL, NULL, NULL, NULL, 'false', '{}', '3', '01a20888-023b-7015-a897-2b7555b471ca', '2026-11-23 13:11:00.923393+00', '2026-11-23 13:11:00.925477+00', 'true', 'en', '1', '1'),
    ('acme', '01a20888-023f-711a-9211-0c46c0b887d2', 'streamed', NULL, NULL, NULL, NULL, 'false', '{}', '1', '01a20888-023f-711a-9211-0c45bc66b975', '2026-11-23 13:11:00.927463+00', '2026-11-23 13:11:00.927529+00', 'false', 'en', '0', '0'),
    ('default', '01a20888-01dd-7433-afa0-9b0b48415a66', 'chat-1', 'ada', 'engines', 'manual', NULL, 'false', '{}', '2', '01a20888-01dc-72ff-b5d1-d43661e70b4e', '2026-11-23 13:11:00.829896+00', '2026-11-23 13:11:00.831104+00', 'false', 'en', '2', '8'),
    ('default', '01a20888-01e6-754f-91d5-71d57d0a9b1c', 'nobody''s', NULL, NULL, NULL, 'Pinned; ''quoted''', 'true', '{"deep": {"er": [1, null]}}', '3', '01a20888-01e6-754f-91d5-71d4f0b99730', '2026-11-23 13:11:00.838387+00', '2026-11-23 13:11:00.83861+00', 'false', 'en', '1', '8'),
    ('default', '01a20888-01e9-74d0-af6b-1ff707ee2d70', 'branched', NULL, NULL, NULL, NULL, 'false', '{}', '3', '01a20888-01ea-74dc-a59a-0925e5be733c', '2026-11-23 13:11:00.84167+00', '2026-11-23 13:11:00.846815+00', 'true', 'en', '1', '1'),
    ('default', '01a20888-01f2-77ae-92ed-5bd3937d6629', 'streamed', NULL, NULL, NULL, NULL, 'false', '{}', '1', '01a20888-01f2-77ae-92ed-5bd24925e6dc', '2026-11-23 13:11:00.850675+00', '2026-11-23 13:11:00.850775+00', 'false', 'en', '0', '0');

INSERT INTO ragstore.rag_rate_limit ("tenant_id", "policy", "rule", "key", "mark", "used", "previous", "expires_at") VALUES
    ('', 'ip', 'gcra/3600000000', E'\\x93ad33a8426e82cb7b1fc2782134a29c', '1795439604862464000', '0', '0', '2026-11-23 14:00:00+00'),
    ('acme', 'api', 'gcra/60000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795439478929149000', '0', '0', '2026-11-23 14:00:00+00'),
    ('acme', 'api', 'gcra/86400000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795442052929149000', '0', '0', '2026-11-24 00:00:00+00'),
    ('acme', 'gliding', 'sliding/3600000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795438800000000', '1', '0', '2026-11-23 15:00:00+00'),
    ('acme', 'window', 'fixed/3600000000', E'\\x657b7c031b27bed60a8cdf97b28dccaf', '1795438800000000', '1', '0', '2026-11-23 14:00:00+00'),
    ('default', 'api', 'gcra/60000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795439478859449000', '0', '0', '2026-11-23 14:00:00+00'),
    ('default', 'api', 'gcra/86400000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795442052859449000', '0', '0', '2026-11-24 00:00:00+00'),
    ('default', 'gliding', 'sliding/3600000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795438800000000', '1', '0', '2026-11-23 15:00:00+00'),
    ('default', 'window', 'fixed/3600000000', E'\\x657b7c031b27bed60a8cdf97b28dccaf', '1795438800000000', '1', '0', '2026-11-23 14:00:00+00');

INSERT INTO ragstore.rag_session ("tenant_id", "id", "kind", "user_id", "organisation_id", "secret_hash", "nonce", "generation", "rotated_at", "stamp", "created_at", "last_seen_at", "idle_timeout", "touch_interval", "expires_at", "ends_at", "revoked_at", "revoked_because", "data", "data_version", "schema_version", "ip", "agent", "label") VALUES
    ('acme', '01a20888-0243-730b-8cc1-e3f90b9980e8', 'login', 'ada', 'engines', E'\\x58673bce8ca90ea92be10dae95ccec2bbef6a4b861cecae568447a285eb6f9d6', E'\\x082cc0801137f727969a2d469c9824c12ec15b1617c0c3f00302e8ac7da01520', '1', '2026-11-23 13:11:00.9336+00', '0', '2026-11-23 13:11:00.932094+00', '2026-11-23 13:11:00.9336+00', '1800000000', '60000000', '2026-11-23 21:11:00.932094+00', '2026-11-23 13:42:00.9336+00', NULL, NULL, '{"name": "Ada ü"}', '0', '1', '192.0.2.0/24', 'A browser/1.0', 'laptop'),
    ('acme', '01a20888-0246-77da-a856-f07242985859', 'visit', NULL, NULL, E'\\xcbc9b4580c4229c93e48caff6111401c8bee0b42099e66e9a3bf155b1c306d87', E'\\xe8f4a5032094861eb4f8070111f21762c29f72de25e6e9fcb96b9846d30ff79a', '0', '2026-11-23 13:11:00.934494+00', '0', '2026-11-23 13:11:00.934494+00', '2026-11-23 13:11:00.934494+00', '1800000000', '60000000', '2026-11-23 21:11:00.934494+00', '2026-11-23 13:42:00.934494+00', NULL, NULL, '{}', '0', '1', NULL, NULL, NULL),
    ('acme', '01a20888-0247-701a-8f91-fd27ab8cfb50', 'login', 'bob', NULL, E'\\x210b3df9f1efc3321ffeca7fbd9c5745f529043799df96d44502ceb6c08b4449', E'\\x4101d8e9b8f5f2f7068ffbb0f195adff0d4f3fcefcc853edb8b7004450677699', '0', '2026-11-23 13:11:00.935975+00', '0', '2026-11-23 13:11:00.935975+00', '2026-11-23 13:11:00.935975+00', '1800000000', '60000000', '2026-11-23 21:11:00.935975+00', '2026-11-23 13:42:00.935975+00', NULL, NULL, '{}', '0', '1', NULL, NULL, NULL),
    ('default', '01a20888-0205-7269-a879-ae7c73596f03', 'login', 'ada', 'engines', E'\\x702c61bfe91ceefb0db5cf32562b9a56eb9a65d45a04731d7178bcafa3a0db22', E'\\xe6c6c8ba63bc135370e4dd0d692f487c8792558f14a1866afa93f8697226b8d9', '1', '2026-11-23 13:11:00.877142+00', '0', '2026-11-23 13:11:00.872473+00', '2026-11-23 13:11:00.877142+00', '1800000000', '60000000', '2026-11-23 21:11:00.872473+00', '2026-11-23 13:42:00.877142+00', NULL, NULL, '{"name": "Ada ü"}', '0', '1', '192.0.2.0/24', 'A browser/1.0', 'laptop'),
    ('default', '01a20888-020d-7480-a33f-936d41eac67a', 'visit', NULL, NULL, E'\\x2f3d7ee02712525e89c9ff3d70c7ba8cd01903cd29a1914bde2637f5eae26138', E'\\x7b59aa67b3069222cf542d5502b91c0bbd215c33ffd16388c4ff0eb7e0244198', '0', '2026-11-23 13:11:00.878207+00', '0', '2026-11-23 13:11:00.878207+00', '2026-11-23 13:11:00.878207+00', '1800000000', '60000000', '2026-11-23 21:11:00.878207+00', '2026-11-23 13:42:00.878207+00', NULL, NULL, '{}', '0', '1', NULL, NULL, NULL),
    ('default', '01a20888-020f-778f-9789-a0041a3dffe5', 'login', 'bob', NULL, E'\\x5bcad7e208b8b778e2b9fc53d9e18b6337ed1b351473819852d2b8cc62c59cfc', E'\\x7904c90a5c15567cdd4223fce9cdf2565a0084ebe1d8d948ba9764186f5d6f24', '0', '2026-11-23 13:11:00.879625+00', '0', '2026-11-23 13:11:00.879625+00', '2026-11-23 13:11:00.879625+00', '1800000000', '60000000', '2026-11-23 21:11:00.879625+00', '2026-11-23 13:42:00.879625+00', NULL, NULL, '{}', '0', '1', NULL, NULL, NULL);

INSERT INTO ragstore.rag_session_user ("tenant_id", "user_id", "stamp") VALUES
    ('acme', 'ada', '0'),
    ('acme', 'bob', '1'),
    ('default', 'ada', '0'),
    ('default', 'bob', '1');

INSERT INTO ragstore.rag_document ("tenant_id", "id", "collection_id", "source", "title", "doc_type", "version", "language", "content_hash", "metadata", "chunk_count", "created_at", "updated_at") VALUES
    ('acme', '01a20888-0216-7020-aed0-63361158d66f', '01a20888-0211-724a-8736-11c15cbd8ec3', 'files.html', 'Files', 'guide', NULL, NULL, E'\\xfe8465d91ab2b33b7743c5fb22b453dca70aa4797ef69ee19d88664d740b1c49', '{"none": null, "tags": ["a", "ü"], "year": 2024}', '2', '2026-11-23 13:11:00.886644+00', '2026-11-23 13:11:00.886644+00'),
    ('acme', '01a20888-021f-74d4-a204-acbb34268e14', '01a20888-0211-724a-8736-11c15cbd8ec3', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, E'\\x41ef89120dee5d498728b24f8435091fcde684f4a31d1c33d6d5eb1f28b3ba12', '{"year": 2025}', '1', '2026-11-23 13:11:00.896346+00', '2026-11-23 13:11:00.896346+00'),
    ('acme', '01a20888-0228-7437-9831-9c1b73de0ab8', '01a20888-0211-724a-8736-11c15cbd8ec3', '東京', '', NULL, NULL, NULL, E'\\x014acf8cd0b3196879d84f461f40b6929b75a0482d23d78e12edab304cc1dc16', '{}', '1', '2026-11-23 13:11:00.904777+00', '2026-11-23 13:11:00.904777+00'),
    ('default', '01a20888-0193-77a4-9bac-bceeb75573d9', '01a20888-015d-7460-9fdd-fe607bf5c286', 'files.html', 'Files', 'guide', NULL, NULL, E'\\xfe8465d91ab2b33b7743c5fb22b453dca70aa4797ef69ee19d88664d740b1c49', '{"none": null, "tags": ["a", "ü"], "year": 2024}', '2', '2026-11-23 13:11:00.757083+00', '2026-11-23 13:11:00.757083+00'),
    ('default', '01a20888-01ae-7330-bcc3-8523dc7d3ce2', '01a20888-015d-7460-9fdd-fe607bf5c286', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, E'\\x41ef89120dee5d498728b24f8435091fcde684f4a31d1c33d6d5eb1f28b3ba12', '{"year": 2025}', '1', '2026-11-23 13:11:00.783494+00', '2026-11-23 13:11:00.783494+00'),
    ('default', '01a20888-01b8-77da-b05d-003524bd2e10', '01a20888-015d-7460-9fdd-fe607bf5c286', '東京', '', NULL, NULL, NULL, E'\\x014acf8cd0b3196879d84f461f40b6929b75a0482d23d78e12edab304cc1dc16', '{}', '1', '2026-11-23 13:11:00.793058+00', '2026-11-23 13:11:00.793058+00');

INSERT INTO ragstore.rag_embedding_space ("tenant_id", "id", "collection_id", "model", "dimensions", "metric", "storage", "state", "index_method", "index_state", "index_options", "quantization", "search_effort", "backfilled_to", "activated_at", "retired_at", "created_at") VALUES
    ('acme', '01a20888-0212-724f-8f21-d38d6a08e9e8', '01a20888-0211-724a-8736-11c15cbd8ec3', 'm', '3', 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, '2026-11-23 13:11:00.882975+00', NULL, '2026-11-23 13:11:00.882975+00'),
    ('default', '01a20888-015f-7283-93d9-48fa0c6f98e8', '01a20888-015d-7460-9fdd-fe607bf5c286', 'm', '3', 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, '2026-11-23 13:11:00.705101+00', NULL, '2026-11-23 13:11:00.705101+00');

INSERT INTO ragstore.rag_message ("tenant_id", "id", "conversation_id", "seq", "parent_id", "client_id", "role", "status", "content", "parts", "metadata", "response_time", "model", "resolved_model", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost", "created_at", "pinned", "updated_at", "annotated", "words", "terms", "counts") VALUES
    ('acme', '01a20888-0234-775d-9005-3d80959455ea', '01a20888-0234-775d-9005-3d82dc35f5d8', '1', NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.917303+00', 'false', NULL, 'false', '2', '{118313114,374033761}', '{1,1}'),
    ('acme', '01a20888-0234-775d-9005-3d810a5a0b05', '01a20888-0234-775d-9005-3d82dc35f5d8', '2', '01a20888-0234-775d-9005-3d80959455ea', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{"page": "/help"}', '0.8', 'small', 'small-2024', '11', '7', NULL, NULL, '123', '2026-11-23 13:11:00.917303+00', 'false', NULL, 'true', '6', '{118313114,374033761,433403518,983902534,988780008}', '{1,2,1,1,1}'),
    ('acme', '01a20888-0239-72bf-9b85-f743a7764144', '01a20888-0239-72bf-9b85-f7463a1c8a70', '1', NULL, 'one', 'system', 'complete', E'Größe 100 %; ''quoted'' "twice" \\ שלום 東京 🦉
and a second line', NULL, '{"nothing": null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.921679+00', 'false', NULL, 'false', '8', '{26077324,158137622,216577943,345457871,353133553,391822851,557278072,712114334}', '{1,1,1,1,1,1,1,1}'),
    ('acme', '01a20888-0239-72bf-9b85-f744cda8f87d', '01a20888-0239-72bf-9b85-f7463a1c8a70', '2', '01a20888-0239-72bf-9b85-f743a7764144', NULL, 'assistant', 'complete', '', '[{"args": {"at": "ü"}, "name": "look", "type": "tool-call"}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.921679+00', 'false', NULL, 'false', NULL, NULL, NULL),
    ('acme', '01a20888-0239-72bf-9b85-f745e103f9d4', '01a20888-0239-72bf-9b85-f7463a1c8a70', '3', '01a20888-0239-72bf-9b85-f744cda8f87d', NULL, 'tool', 'complete', '', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.921679+00', 'false', NULL, 'false', NULL, NULL, NULL),
    ('acme', '01a20888-023b-7015-a897-2b72fe2a3e75', '01a20888-023b-7015-a897-2b7475021731', '1', NULL, NULL, 'user', 'complete', 'Which?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.923464+00', 'true', NULL, 'false', NULL, NULL, NULL),
    ('acme', '01a20888-023b-7015-a897-2b73646fbeb9', '01a20888-023b-7015-a897-2b7475021731', '2', '01a20888-023b-7015-a897-2b72fe2a3e75', NULL, 'assistant', 'complete', 'That.', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.923464+00', 'false', NULL, 'false', NULL, NULL, NULL),
    ('acme', '01a20888-023b-7015-a897-2b7555b471ca', '01a20888-023b-7015-a897-2b7475021731', '3', NULL, NULL, 'user', 'complete', 'Which owl?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.925477+00', 'false', NULL, 'false', '1', '{117983082}', '{1}'),
    ('acme', '01a20888-023f-711a-9211-0c45bc66b975', '01a20888-023f-711a-9211-0c46c0b887d2', '1', NULL, NULL, 'assistant', 'streaming', 'The first half of ', NULL, '{"streamed": true}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.927529+00', 'false', '2026-11-23 13:11:00.928303+00', 'false', NULL, NULL, NULL),
    ('default', '01a20888-01dc-72ff-b5d1-d4351fe59070', '01a20888-01dd-7433-afa0-9b0b48415a66', '1', NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.831104+00', 'false', NULL, 'false', '2', '{118313114,374033761}', '{1,1}'),
    ('default', '01a20888-01dc-72ff-b5d1-d43661e70b4e', '01a20888-01dd-7433-afa0-9b0b48415a66', '2', '01a20888-01dc-72ff-b5d1-d4351fe59070', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{"page": "/help"}', '0.8', 'small', 'small-2024', '11', '7', NULL, NULL, '123', '2026-11-23 13:11:00.831104+00', 'false', NULL, 'true', '6', '{118313114,374033761,433403518,983902534,988780008}', '{1,2,1,1,1}'),
    ('default', '01a20888-01e5-739d-b3d2-0424d4bf75a3', '01a20888-01e6-754f-91d5-71d57d0a9b1c', '1', NULL, 'one', 'system', 'complete', E'Größe 100 %; ''quoted'' "twice" \\ שלום 東京 🦉
and a second line', NULL, '{"nothing": null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.83861+00', 'false', NULL, 'false', '8', '{26077324,158137622,216577943,345457871,353133553,391822851,557278072,712114334}', '{1,1,1,1,1,1,1,1}'),
    ('default', '01a20888-01e5-739d-b3d2-0425ad194e91', '01a20888-01e6-754f-91d5-71d57d0a9b1c', '2', '01a20888-01e5-739d-b3d2-0424d4bf75a3', NULL, 'assistant', 'complete', '', '[{"args": {"at": "ü"}, "name": "look", "type": "tool-call"}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.83861+00', 'false', NULL, 'false', NULL, NULL, NULL),
    ('default', '01a20888-01e6-754f-91d5-71d4f0b99730', '01a20888-01e6-754f-91d5-71d57d0a9b1c', '3', '01a20888-01e5-739d-b3d2-0425ad194e91', NULL, 'tool', 'complete', '', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.83861+00', 'false', NULL, 'false', NULL, NULL, NULL),
    ('default', '01a20888-01e9-74d0-af6b-1ff536170cd7', '01a20888-01e9-74d0-af6b-1ff707ee2d70', '1', NULL, NULL, 'user', 'complete', 'Which?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.841802+00', 'true', NULL, 'false', NULL, NULL, NULL),
    ('default', '01a20888-01e9-74d0-af6b-1ff6cb4dbb42', '01a20888-01e9-74d0-af6b-1ff707ee2d70', '2', '01a20888-01e9-74d0-af6b-1ff536170cd7', NULL, 'assistant', 'complete', 'That.', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.841802+00', 'false', NULL, 'false', NULL, NULL, NULL),
    ('default', '01a20888-01ea-74dc-a59a-0925e5be733c', '01a20888-01e9-74d0-af6b-1ff707ee2d70', '3', NULL, NULL, 'user', 'complete', 'Which owl?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.846815+00', 'false', NULL, 'false', '1', '{117983082}', '{1}'),
    ('default', '01a20888-01f2-77ae-92ed-5bd24925e6dc', '01a20888-01f2-77ae-92ed-5bd3937d6629', '1', NULL, NULL, 'assistant', 'streaming', 'The first half of ', NULL, '{"streamed": true}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.850775+00', 'false', '2026-11-23 13:11:00.852428+00', 'false', NULL, NULL, NULL);

INSERT INTO ragstore.rag_term ("tenant_id", "collection_id", "term", "frequency", "idf") VALUES
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '118313114', '2', '0.6931471805599453'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '158137622', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '204080786', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '216577943', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '26077324', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '288092373', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '326297601', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '345457871', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '353133553', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '374033761', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '391822851', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '416086279', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '433403518', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '491211111', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '557278072', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '712114334', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '983902534', '1', '1.2039728043259361'),
    ('acme', '01a20888-0211-724a-8736-11c15cbd8ec3', '988780008', '2', '0.6931471805599453'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '118313114', '2', '0.6931471805599453'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '158137622', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '204080786', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '216577943', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '26077324', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '288092373', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '326297601', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '345457871', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '353133553', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '374033761', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '391822851', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '416086279', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '433403518', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '491211111', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '557278072', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '712114334', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '983902534', '1', '1.2039728043259361'),
    ('default', '01a20888-015d-7460-9fdd-fe607bf5c286', '988780008', '2', '0.6931471805599453');

INSERT INTO ragstore.rag_chunk ("tenant_id", "id", "collection_id", "document_id", "chunk_index", "content", "content_hash", "language", "metadata", "start_offset", "end_offset", "page", "heading", "embedding_id", "created_at") VALUES
    ('acme', '01a20888-0216-7020-aed0-6337b513958c', '01a20888-0211-724a-8736-11c15cbd8ec3', '01a20888-0216-7020-aed0-63361158d66f', '0', 'Call open() with a path to open a file for reading.', E'\\x0103689a017cffae0ff77bf32bc2ad3cc91c7218c62817e3abdcb5d788afa0aa', 'en', '{}', '0', NULL, '1', 'Files', NULL, '2026-11-23 13:11:00.887094+00'),
    ('acme', '01a20888-0216-7020-aed0-6338308358d0', '01a20888-0211-724a-8736-11c15cbd8ec3', '01a20888-0216-7020-aed0-63361158d66f', '1', 'Close the file; a with statement does.', E'\\x775d19232cbe3f1a439c3ecb7ee712ca5e2bf6a51c4afb387f94fa4068a687e0', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.887207+00'),
    ('acme', '01a20888-0220-7576-9d8a-b5b2085f9db1', '01a20888-0211-724a-8736-11c15cbd8ec3', '01a20888-021f-74d4-a204-acbb34268e14', '0', 'A Path joins its parts with a slash.', E'\\x8acf8893a6bfc14102237b355a750dada633cdbd3c24c81bd9e34f3dd684d0ec', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.896729+00'),
    ('acme', '01a20888-0228-7437-9831-9c1c8613b805', '01a20888-0211-724a-8736-11c15cbd8ec3', '01a20888-0228-7437-9831-9c1b73de0ab8', '0', E'Größe 100 %; ''quoted'' "twice" \\ שלום 東京 🦉
and a second line', E'\\x99018ebe6a2ea22e0c6197b71956297960bf8c3c528d4a74f2515ad656527c98', 'en', '{"of": "ü"}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.905152+00'),
    ('default', '01a20888-0195-722d-afdd-14aa28699e54', '01a20888-015d-7460-9fdd-fe607bf5c286', '01a20888-0193-77a4-9bac-bceeb75573d9', '0', 'Call open() with a path to open a file for reading.', E'\\x0103689a017cffae0ff77bf32bc2ad3cc91c7218c62817e3abdcb5d788afa0aa', 'en', '{}', '0', NULL, '1', 'Files', NULL, '2026-11-23 13:11:00.758458+00'),
    ('default', '01a20888-0195-722d-afdd-14ab319dfd35', '01a20888-015d-7460-9fdd-fe607bf5c286', '01a20888-0193-77a4-9bac-bceeb75573d9', '1', 'Close the file; a with statement does.', E'\\x775d19232cbe3f1a439c3ecb7ee712ca5e2bf6a51c4afb387f94fa4068a687e0', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.758978+00'),
    ('default', '01a20888-01af-7570-8e64-a340ea51e7ba', '01a20888-015d-7460-9fdd-fe607bf5c286', '01a20888-01ae-7330-bcc3-8523dc7d3ce2', '0', 'A Path joins its parts with a slash.', E'\\x8acf8893a6bfc14102237b355a750dada633cdbd3c24c81bd9e34f3dd684d0ec', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.784226+00'),
    ('default', '01a20888-01b9-73eb-bbaa-05342956881f', '01a20888-015d-7460-9fdd-fe607bf5c286', '01a20888-01b8-77da-b05d-003524bd2e10', '0', E'Größe 100 %; ''quoted'' "twice" \\ שלום 東京 🦉
and a second line', E'\\x99018ebe6a2ea22e0c6197b71956297960bf8c3c528d4a74f2515ad656527c98', 'en', '{"of": "ü"}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:11:00.793429+00');

INSERT INTO ragstore.rag_citation ("tenant_id", "message_id", "rank", "chunk_id", "document_id", "collection", "source", "title", "snippet", "score", "start_offset", "end_offset", "page", "heading") VALUES
    ('acme', '01a20888-0234-775d-9005-3d810a5a0b05', '1', '01a20888-0216-7020-aed0-6337b513958c', '01a20888-0216-7020-aed0-63361158d66f', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', '2.2463929653167725', '0', NULL, '1', 'Files'),
    ('acme', '01a20888-0234-775d-9005-3d810a5a0b05', '2', NULL, NULL, NULL, 'https://example.org/?q=1', 'Elsewhere: 100 %', '', '0.5', NULL, NULL, NULL, NULL),
    ('default', '01a20888-01dc-72ff-b5d1-d43661e70b4e', '1', '01a20888-0195-722d-afdd-14aa28699e54', '01a20888-0193-77a4-9bac-bceeb75573d9', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', '2.2463929653167725', '0', NULL, '1', 'Files'),
    ('default', '01a20888-01dc-72ff-b5d1-d43661e70b4e', '2', NULL, NULL, NULL, 'https://example.org/?q=1', 'Elsewhere: 100 %', '', '0.5', NULL, NULL, NULL, NULL);

INSERT INTO ragstore.rag_feedback ("tenant_id", "message_id", "user_id", "value", "comment", "updated_at") VALUES
    ('acme', '01a20888-0234-775d-9005-3d810a5a0b05', 'ada', '1', 'Now I see: ''open'' — 👍', '2026-11-23 13:11:00.920243+00'),
    ('default', '01a20888-01dc-72ff-b5d1-d43661e70b4e', 'ada', '1', 'Now I see: ''open'' — 👍', '2026-11-23 13:11:00.836973+00');

INSERT INTO ragstore.rag_feedback_change ("tenant_id", "id", "message_id", "user_id", "value", "comment", "created_at") VALUES
    ('acme', '01a20888-0236-77ea-b45a-409afc1a690e', '01a20888-0234-775d-9005-3d810a5a0b05', 'ada', '-1', NULL, '2026-11-23 13:11:00.918681+00'),
    ('acme', '01a20888-0238-76ff-8670-75fe0341a199', '01a20888-0234-775d-9005-3d810a5a0b05', 'ada', '1', 'Now I see: ''open'' — 👍', '2026-11-23 13:11:00.920784+00'),
    ('default', '01a20888-01e3-75e0-bbf8-0aae71c10c18', '01a20888-01dc-72ff-b5d1-d43661e70b4e', 'ada', '-1', NULL, '2026-11-23 13:11:00.836069+00'),
    ('default', '01a20888-01e5-739d-b3d2-04237c4f85ec', '01a20888-01dc-72ff-b5d1-d43661e70b4e', 'ada', '1', 'Now I see: ''open'' — 👍', '2026-11-23 13:11:00.83754+00');

INSERT INTO ragstore.rag_chunk_terms ("tenant_id", "chunk_id", "collection_id", "generation", "length", "lexemes", "weights", "rest") VALUES
    ('acme', '01a20888-0216-7020-aed0-6337b513958c', '01a20888-0211-724a-8736-11c15cbd8ec3', '1', '6', '''f0226fcall'':1 ''f0226ffile'':9 ''f0226fopen'':2,7 ''f0226fpath'':5 ''f0226fread'':11', '{118313114:0.9447853,374033761:1.3218884,433403518:0.9447853,983902534:0.9447853,988780008:0.9447853}/1000000000', NULL),
    ('acme', '01a20888-0216-7020-aed0-6338308358d0', '01a20888-0211-724a-8736-11c15cbd8ec3', '1', '3', '''f0226fclose'':1 ''f0226ffile'':3 ''f0226fstatement'':6', '{118313114:1.2125984,204080786:1.2125984,288092373:1.2125984}/1000000000', NULL),
    ('acme', '01a20888-0220-7576-9d8a-b5b2085f9db1', '01a20888-0211-724a-8736-11c15cbd8ec3', '1', '4', '''f0226fjoin'':3 ''f0226fpart'':5 ''f0226fpath'':2 ''f0226fslash'':8', '{326297601:1.1079136,416086279:1.1079136,491211111:1.1079136,988780008:1.1079136}/1000000000', NULL),
    ('acme', '01a20888-0228-7437-9831-9c1c8613b805', '01a20888-0211-724a-8736-11c15cbd8ec3', '1', '8', '''f0226f100'':2 ''f0226fgrösse'':1 ''f0226fline'':10 ''f0226fquot'':3 ''f0226fsecond'':9 ''f0226ftwice'':4 ''f0226fשלום'':5 ''f0226f東京'':6', '{26077324:0.8235294,158137622:0.8235294,216577943:0.8235294,345457871:0.8235294,353133553:0.8235294,391822851:0.8235294,557278072:0.8235294,712114334:0.8235294}/1000000000', NULL),
    ('default', '01a20888-0195-722d-afdd-14aa28699e54', '01a20888-015d-7460-9fdd-fe607bf5c286', '1', '6', '''210d51call'':1 ''210d51file'':9 ''210d51open'':2,7 ''210d51path'':5 ''210d51read'':11', '{118313114:0.9447853,374033761:1.3218884,433403518:0.9447853,983902534:0.9447853,988780008:0.9447853}/1000000000', NULL),
    ('default', '01a20888-0195-722d-afdd-14ab319dfd35', '01a20888-015d-7460-9fdd-fe607bf5c286', '1', '3', '''210d51close'':1 ''210d51file'':3 ''210d51statement'':6', '{118313114:1.2125984,204080786:1.2125984,288092373:1.2125984}/1000000000', NULL),
    ('default', '01a20888-01af-7570-8e64-a340ea51e7ba', '01a20888-015d-7460-9fdd-fe607bf5c286', '1', '4', '''210d51join'':3 ''210d51part'':5 ''210d51path'':2 ''210d51slash'':8', '{326297601:1.1079136,416086279:1.1079136,491211111:1.1079136,988780008:1.1079136}/1000000000', NULL),
    ('default', '01a20888-01b9-73eb-bbaa-05342956881f', '01a20888-015d-7460-9fdd-fe607bf5c286', '1', '8', '''210d51100'':2 ''210d51grösse'':1 ''210d51line'':10 ''210d51quot'':3 ''210d51second'':9 ''210d51twice'':4 ''210d51שלום'':5 ''210d51東京'':6', '{26077324:0.8235294,158137622:0.8235294,216577943:0.8235294,345457871:0.8235294,353133553:0.8235294,391822851:0.8235294,557278072:0.8235294,712114334:0.8235294}/1000000000', NULL);

INSERT INTO ragstore.rag_embedding ("tenant_id", "space_id", "chunk_id", "dense", "half", "sparse") VALUES
    ('acme', '01a20888-0212-724f-8f21-d38d6a08e9e8', '01a20888-0216-7020-aed0-6337b513958c', '[1,0,0]', NULL, NULL),
    ('acme', '01a20888-0212-724f-8f21-d38d6a08e9e8', '01a20888-0216-7020-aed0-6338308358d0', '[0,1,0]', NULL, NULL),
    ('acme', '01a20888-0212-724f-8f21-d38d6a08e9e8', '01a20888-0220-7576-9d8a-b5b2085f9db1', '[0,0,1]', NULL, NULL),
    ('default', '01a20888-015f-7283-93d9-48fa0c6f98e8', '01a20888-0195-722d-afdd-14aa28699e54', '[1,0,0]', NULL, NULL),
    ('default', '01a20888-015f-7283-93d9-48fa0c6f98e8', '01a20888-0195-722d-afdd-14ab319dfd35', '[0,1,0]', NULL, NULL),
    ('default', '01a20888-015f-7283-93d9-48fa0c6f98e8', '01a20888-01af-7570-8e64-a340ea51e7ba', '[0,0,1]', NULL, NULL);

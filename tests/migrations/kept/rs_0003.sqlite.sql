-- Rows that the code of this schema wrote. Never change them: there are such databases.

INSERT INTO rag_collection ("tenant_id", "id", "name", "language", "languages", "metadata", "salt", "generation", "analyzed_chunks", "average_length", "analyzed_at", "created_at") VALUES
    ('acme', '01a20887eec67064836557c2d9dadff8', 'manual', 'en', '[]', '{"shelf":null}', 2859064, 1, 4, 5.25, 1795439455954000, 1795439455942000),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 'manual', 'en', '[]', '{"shelf":null}', 15141648, 1, 4, 5.25, 1795439455903000, 1795439455817000);

INSERT INTO rag_conversation ("tenant_id", "id", "thread_id", "user_id", "organisation_id", "collection", "title", "pinned", "metadata", "head", "leaf_id", "created_at", "last_activity") VALUES
    ('acme', '01a20887eed57496b575cf3a8909f245', 'chat-1', 'ada', 'engines', 'manual', NULL, 0, '{}', 2, '01a20887eed57496b575cf3975c98756', 1795439455957000, 1795439455958000),
    ('acme', '01a20887eed77495917b68fc50894825', 'nobody''s', NULL, NULL, NULL, 'Pinned; ''quoted''', 1, '{"deep":{"er":[1,null]}}', 3, '01a20887eed77495917b68fb20f74b15', 1795439455959000, 1795439455959000),
    ('default', '01a20887eeae75d5b0e7972e8c37fa62', 'chat-1', 'ada', 'engines', 'manual', NULL, 0, '{}', 2, '01a20887eea87627b87c1884bc1c4a29', 1795439455919000, 1795439455919000),
    ('default', '01a20887eeb473e2a10d3febb3c62fd8', 'nobody''s', NULL, NULL, NULL, 'Pinned; ''quoted''', 1, '{"deep":{"er":[1,null]}}', 3, '01a20887eeb473e2a10d3fead02cc54a', 1795439455924000, 1795439455924000);

INSERT INTO rag_rate_limit ("tenant_id", "policy", "rule", "key", "mark", "used", "previous", "expires_at") VALUES
    ('', 'ip', 'gcra/3600000000', X'93AD33A8426E82CB7B1FC2782134A29C', 1795439599928526000, 0, 0, 1795442400000000),
    ('acme', 'api', 'gcra/60000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795439473960705000, 0, 0, 1795442400000000),
    ('acme', 'api', 'gcra/86400000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795442047960705000, 0, 0, 1795478400000000),
    ('acme', 'gliding', 'sliding/3600000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795438800000000, 1, 0, 1795446000000000),
    ('acme', 'window', 'fixed/3600000000', X'657B7C031B27BED60A8CDF97B28DCCAF', 1795438800000000, 1, 0, 1795442400000000),
    ('default', 'api', 'gcra/60000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795439473927817000, 0, 0, 1795442400000000),
    ('default', 'api', 'gcra/86400000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795442047927817000, 0, 0, 1795478400000000),
    ('default', 'gliding', 'sliding/3600000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795438800000000, 1, 0, 1795446000000000),
    ('default', 'window', 'fixed/3600000000', X'657B7C031B27BED60A8CDF97B28DCCAF', 1795438800000000, 1, 0, 1795442400000000);

INSERT INTO rag_session ("tenant_id", "id", "kind", "user_id", "organisation_id", "secret_hash", "nonce", "generation", "rotated_at", "stamp", "created_at", "last_seen_at", "idle_timeout", "touch_interval", "expires_at", "ends_at", "revoked_at", "revoked_because", "data", "data_version", "schema_version", "ip", "agent", "label") VALUES
    ('acme', '01a20887eed977669033c07420e24800', 'login', 'ada', 'engines', X'44A75EA8FCCA41D39AEA058DBFA4D47600E71AA7FFB4A1340BB06F615C9B1327', X'CD07ECAE3DEF41EEC750BCB70565B630D902BF4F8792F31C7F1C9679A270F8B1', 1, 1795439455961000, 0, 1795439455961000, 1795439455961000, 1800000000, 60000000, 1795468255961000, 1795441315961000, NULL, NULL, '{"name":"Ada ü"}', 0, 1, '192.0.2.0/24', 'A browser/1.0', 'laptop'),
    ('acme', '01a20887eedb712faedb95ee7776518b', 'visit', NULL, NULL, X'01247DF3F8E72E296F5C3F00625C71C0551B93A82B056546F2313CE5FCDE7F52', X'41995C36837EC65D1786842263290436F41CD4C703C8DED699BE5E1D9C204678', 0, 1795439455962000, 0, 1795439455962000, 1795439455962000, 1800000000, 60000000, 1795468255962000, 1795441315962000, NULL, NULL, '{}', 0, 1, NULL, NULL, NULL),
    ('acme', '01a20887eedb712faedb95ef8cc4f1f8', 'login', 'bob', NULL, X'B4DD7CC33BE6C676003504C03E6D9D8EEC6BEA743A90CCFAB6EE6EEF740545BD', X'E5E931ADE5EB54A1D893CE151BF71E433387B45AC8A9A44F81FEA9F1FF37B097', 0, 1795439455962000, 0, 1795439455962000, 1795439455962000, 1800000000, 60000000, 1795468255962000, 1795441315962000, NULL, NULL, '{}', 0, 1, NULL, NULL, NULL),
    ('default', '01a20887eebb778daf0c1afcf6c4a162', 'login', 'ada', 'engines', X'D84105A49F1B3D089854B215FDE88ABA1D4874F27BE3C4DF84FA1A06CC163527', X'F6AF1D97C032F309B30CEAE820AE449CB8AC68AB053F59A53EFB5E4D61AE8775', 1, 1795439455939000, 0, 1795439455935000, 1795439455939000, 1800000000, 60000000, 1795468255935000, 1795441315939000, NULL, NULL, '{"name":"Ada ü"}', 0, 1, '192.0.2.0/24', 'A browser/1.0', 'laptop'),
    ('default', '01a20887eec47395b1ba5895bc353e62', 'visit', NULL, NULL, X'A26536E4F87356A4DE86D129CB4460DEF5204CD45D5FEF56C9D23ED094F61718', X'9F5411DA719D06D6E65DF797669FCAF9B3088D8071969A97508408A3F2727798', 0, 1795439455939000, 0, 1795439455939000, 1795439455939000, 1800000000, 60000000, 1795468255939000, 1795441315939000, NULL, NULL, '{}', 0, 1, NULL, NULL, NULL),
    ('default', '01a20887eec575faac1b6ae50ae443a4', 'login', 'bob', NULL, X'2055231738014D72EC11FB7E7D6B2E0705A57351336DCE1B6FC4416088986D2D', X'7FFE427E5ED3756BFFF93BE2963B29E5D0437AF061C7BB279960CFEBFFD9D41D', 0, 1795439455940000, 0, 1795439455940000, 1795439455940000, 1800000000, 60000000, 1795468255940000, 1795441315940000, NULL, NULL, '{}', 0, 1, NULL, NULL, NULL);

INSERT INTO rag_session_user ("tenant_id", "user_id", "stamp") VALUES
    ('acme', 'ada', 0),
    ('acme', 'bob', 1),
    ('default', 'ada', 0),
    ('default', 'bob', 1);

INSERT INTO rag_document ("tenant_id", "id", "collection_id", "source", "title", "doc_type", "version", "language", "content_hash", "metadata", "chunk_count", "created_at", "updated_at") VALUES
    ('acme', '01a20887eec970ca9f4041d4845ce0a0', '01a20887eec67064836557c2d9dadff8', 'files.html', 'Files', 'guide', NULL, NULL, X'FE8465D91AB2B33B7743C5FB22B453DCA70AA4797EF69EE19D88664D740B1C49', '{"year":2024,"tags":["a","ü"],"none":null}', 2, 1795439455945000, 1795439455945000),
    ('acme', '01a20887eecd7575a9bd232fd8817413', '01a20887eec67064836557c2d9dadff8', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, X'41EF89120DEE5D498728B24F8435091FCDE684F4A31D1C33D6D5EB1F28B3BA12', '{"year":2025}', 1, 1795439455948000, 1795439455948000),
    ('acme', '01a20887eed17576a3cdaeb2e3858c36', '01a20887eec67064836557c2d9dadff8', '東京', '', NULL, NULL, NULL, X'014ACF8CD0B3196879D84F461F40B6929B75A0482D23D78E12EDAB304CC1DC16', '{}', 1, 1795439455953000, 1795439455953000),
    ('default', '01a20887ee85701ab7b67a0b2bdf4a95', '01a20887ee4a73b7986d658b707bd0ce', 'files.html', 'Files', 'guide', NULL, NULL, X'FE8465D91AB2B33B7743C5FB22B453DCA70AA4797EF69EE19D88664D740B1C49', '{"year":2024,"tags":["a","ü"],"none":null}', 2, 1795439455878000, 1795439455878000),
    ('default', '01a20887ee9775b3ba8aada948fad0bb', '01a20887ee4a73b7986d658b707bd0ce', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, X'41EF89120DEE5D498728B24F8435091FCDE684F4A31D1C33D6D5EB1F28B3BA12', '{"year":2025}', 1, 1795439455895000, 1795439455895000),
    ('default', '01a20887ee9c75b585e5af1d604cdb08', '01a20887ee4a73b7986d658b707bd0ce', '東京', '', NULL, NULL, NULL, X'014ACF8CD0B3196879D84F461F40B6929B75A0482D23D78E12EDAB304CC1DC16', '{}', 1, 1795439455899000, 1795439455899000);

INSERT INTO rag_embedding_space ("tenant_id", "id", "collection_id", "model", "dimensions", "metric", "storage", "state", "index_method", "index_state", "index_options", "quantization", "search_effort", "backfilled_to", "activated_at", "retired_at", "created_at") VALUES
    ('acme', '01a20887eec7773cb697fad3f077b8e0', '01a20887eec67064836557c2d9dadff8', 'm', 3, 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, 1795439455942000, NULL, 1795439455942000),
    ('default', '01a20887ee4b75518b286f91b22a22ff', '01a20887ee4a73b7986d658b707bd0ce', 'm', 3, 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, 1795439455820000, NULL, 1795439455820000);

INSERT INTO rag_message ("tenant_id", "id", "conversation_id", "seq", "parent_id", "client_id", "role", "status", "content", "parts", "metadata", "response_time", "model", "resolved_model", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost", "created_at") VALUES
    ('acme', '01a20887eed57496b575cf38626a0489', '01a20887eed57496b575cf3a8909f245', 1, NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439455958000),
    ('acme', '01a20887eed57496b575cf3975c98756', '01a20887eed57496b575cf3a8909f245', 2, '01a20887eed57496b575cf38626a0489', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{"page":"/help"}', 0.8, 'small', 'small-2024', 11, 7, NULL, NULL, 123, 1795439455958000),
    ('acme', '01a20887eed77495917b68f9a59dd08c', '01a20887eed77495917b68fc50894825', 1, NULL, 'one', 'system', 'complete', 'Größe 100 %; ''quoted'' "twice" \ שלום 東京 🦉
and a second line', NULL, '{"nothing":null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439455959000),
    ('acme', '01a20887eed77495917b68fa78019923', '01a20887eed77495917b68fc50894825', 2, '01a20887eed77495917b68f9a59dd08c', NULL, 'assistant', 'complete', '', '[{"type":"tool-call","name":"look","args":{"at":"ü"}}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439455959000),
    ('acme', '01a20887eed77495917b68fb20f74b15', '01a20887eed77495917b68fc50894825', 3, '01a20887eed77495917b68fa78019923', NULL, 'tool', 'complete', '', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439455959000),
    ('default', '01a20887eea87627b87c18837430d140', '01a20887eeae75d5b0e7972e8c37fa62', 1, NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439455919000),
    ('default', '01a20887eea87627b87c1884bc1c4a29', '01a20887eeae75d5b0e7972e8c37fa62', 2, '01a20887eea87627b87c18837430d140', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{"page":"/help"}', 0.8, 'small', 'small-2024', 11, 7, NULL, NULL, 123, 1795439455919000),
    ('default', '01a20887eeb473e2a10d3fe8240f60ec', '01a20887eeb473e2a10d3febb3c62fd8', 1, NULL, 'one', 'system', 'complete', 'Größe 100 %; ''quoted'' "twice" \ שלום 東京 🦉
and a second line', NULL, '{"nothing":null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439455924000),
    ('default', '01a20887eeb473e2a10d3fe96fbf6f6f', '01a20887eeb473e2a10d3febb3c62fd8', 2, '01a20887eeb473e2a10d3fe8240f60ec', NULL, 'assistant', 'complete', '', '[{"type":"tool-call","name":"look","args":{"at":"ü"}}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439455924000),
    ('default', '01a20887eeb473e2a10d3fead02cc54a', '01a20887eeb473e2a10d3febb3c62fd8', 3, '01a20887eeb473e2a10d3fe96fbf6f6f', NULL, 'tool', 'complete', '', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439455924000);

INSERT INTO rag_term ("tenant_id", "collection_id", "term", "frequency", "idf") VALUES
    ('acme', '01a20887eec67064836557c2d9dadff8', 118313114, 2, 6.93147180559945286226e-01),
    ('acme', '01a20887eec67064836557c2d9dadff8', 158137622, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 204080786, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 216577943, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 26077324, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 288092373, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 326297601, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 345457871, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 353133553, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 374033761, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 391822851, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 416086279, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 433403518, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 491211111, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 557278072, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 712114334, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 983902534, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887eec67064836557c2d9dadff8', 988780008, 2, 6.93147180559945286226e-01),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 118313114, 2, 6.93147180559945286226e-01),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 158137622, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 204080786, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 216577943, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 26077324, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 288092373, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 326297601, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 345457871, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 353133553, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 374033761, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 391822851, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 416086279, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 433403518, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 491211111, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 557278072, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 712114334, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 983902534, 1, 1.20397280432593611898e+00),
    ('default', '01a20887ee4a73b7986d658b707bd0ce', 988780008, 2, 6.93147180559945286226e-01);

INSERT INTO rag_chunk ("tenant_id", "id", "collection_id", "document_id", "chunk_index", "content", "content_hash", "language", "metadata", "start_offset", "end_offset", "page", "heading", "embedding_id", "created_at") VALUES
    ('acme', '01a20887eeca75c5aa3d41ac9cf16fa7', '01a20887eec67064836557c2d9dadff8', '01a20887eec970ca9f4041d4845ce0a0', 0, 'Call open() with a path to open a file for reading.', X'0103689A017CFFAE0FF77BF32BC2AD3CC91C7218C62817E3ABDCB5D788AFA0AA', 'en', '{}', 0, NULL, 1, 'Files', NULL, 1795439455946000),
    ('acme', '01a20887eeca75c5aa3d41adfcfd4a24', '01a20887eec67064836557c2d9dadff8', '01a20887eec970ca9f4041d4845ce0a0', 1, 'Close the file; a with statement does.', X'775D19232CBE3F1A439C3ECB7EE712CA5E2BF6A51C4AFB387F94FA4068A687E0', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795439455946000),
    ('acme', '01a20887eecd7575a9bd2330b7f1bfea', '01a20887eec67064836557c2d9dadff8', '01a20887eecd7575a9bd232fd8817413', 0, 'A Path joins its parts with a slash.', X'8ACF8893A6BFC14102237B355A750DADA633CDBD3C24C81BD9E34F3DD684D0EC', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795439455949000),
    ('acme', '01a20887eed17576a3cdaeb3bbb634c5', '01a20887eec67064836557c2d9dadff8', '01a20887eed17576a3cdaeb2e3858c36', 0, 'Größe 100 %; ''quoted'' "twice" \ שלום 東京 🦉
and a second line', X'99018EBE6A2EA22E0C6197B71956297960BF8C3C528D4A74F2515AD656527C98', 'en', '{"of":"ü"}', NULL, NULL, NULL, NULL, NULL, 1795439455953000),
    ('default', '01a20887ee8777d38bb8d6c4683d9452', '01a20887ee4a73b7986d658b707bd0ce', '01a20887ee85701ab7b67a0b2bdf4a95', 0, 'Call open() with a path to open a file for reading.', X'0103689A017CFFAE0FF77BF32BC2AD3CC91C7218C62817E3ABDCB5D788AFA0AA', 'en', '{}', 0, NULL, 1, 'Files', NULL, 1795439455879000),
    ('default', '01a20887ee8777d38bb8d6c5e9974d09', '01a20887ee4a73b7986d658b707bd0ce', '01a20887ee85701ab7b67a0b2bdf4a95', 1, 'Close the file; a with statement does.', X'775D19232CBE3F1A439C3ECB7EE712CA5E2BF6A51C4AFB387F94FA4068A687E0', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795439455879000),
    ('default', '01a20887ee9775b3ba8aadaa44387ed5', '01a20887ee4a73b7986d658b707bd0ce', '01a20887ee9775b3ba8aada948fad0bb', 0, 'A Path joins its parts with a slash.', X'8ACF8893A6BFC14102237B355A750DADA633CDBD3C24C81BD9E34F3DD684D0EC', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795439455896000),
    ('default', '01a20887ee9c75b585e5af1ea5a0b582', '01a20887ee4a73b7986d658b707bd0ce', '01a20887ee9c75b585e5af1d604cdb08', 0, 'Größe 100 %; ''quoted'' "twice" \ שלום 東京 🦉
and a second line', X'99018EBE6A2EA22E0C6197B71956297960BF8C3C528D4A74F2515AD656527C98', 'en', '{"of":"ü"}', NULL, NULL, NULL, NULL, NULL, 1795439455899000);

INSERT INTO rag_citation ("tenant_id", "message_id", "rank", "chunk_id", "document_id", "collection", "source", "title", "snippet", "score", "start_offset", "end_offset", "page", "heading") VALUES
    ('acme', '01a20887eed57496b575cf3975c98756', 1, '01a20887eeca75c5aa3d41ac9cf16fa7', '01a20887eec970ca9f4041d4845ce0a0', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', 2.24639294876724671112e+00, 0, NULL, 1, 'Files'),
    ('acme', '01a20887eed57496b575cf3975c98756', 2, NULL, NULL, NULL, 'https://example.org/?q=1', 'Elsewhere: 100 %', '', 0.5, NULL, NULL, NULL, NULL),
    ('default', '01a20887eea87627b87c1884bc1c4a29', 1, '01a20887ee8777d38bb8d6c4683d9452', '01a20887ee85701ab7b67a0b2bdf4a95', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', 2.24639294876724671112e+00, 0, NULL, 1, 'Files'),
    ('default', '01a20887eea87627b87c1884bc1c4a29', 2, NULL, NULL, NULL, 'https://example.org/?q=1', 'Elsewhere: 100 %', '', 0.5, NULL, NULL, NULL, NULL);

INSERT INTO rag_feedback ("tenant_id", "message_id", "user_id", "value", "comment", "updated_at") VALUES
    ('acme', '01a20887eed57496b575cf3975c98756', 'ada', 1, 'Now I see: ''open'' — 👍', 1795439455958000),
    ('default', '01a20887eea87627b87c1884bc1c4a29', 'ada', 1, 'Now I see: ''open'' — 👍', 1795439455924000);

INSERT INTO rag_feedback_change ("tenant_id", "id", "message_id", "user_id", "value", "comment", "created_at") VALUES
    ('acme', '01a20887eed6704587e7280f093ec925', '01a20887eed57496b575cf3975c98756', 'ada', -1, NULL, 1795439455958000),
    ('acme', '01a20887eed77495917b68f82f4170d4', '01a20887eed57496b575cf3975c98756', 'ada', 1, 'Now I see: ''open'' — 👍', 1795439455959000),
    ('default', '01a20887eeb37466ab3e18585fd105c5', '01a20887eea87627b87c1884bc1c4a29', 'ada', -1, NULL, 1795439455923000),
    ('default', '01a20887eeb473e2a10d3fe72de2b11e', '01a20887eea87627b87c1884bc1c4a29', 'ada', 1, 'Now I see: ''open'' — 👍', 1795439455924000);

INSERT INTO rag_vector_change ("tenant_id", "space_id", "added", "removed") VALUES
    ('acme', '01a20887eec7773cb697fad3f077b8e0', 3, 0),
    ('default', '01a20887ee4b75518b286f91b22a22ff', 3, 0);

INSERT INTO rag_chunk_key ("key", "tenant_id", "collection_id", "chunk_id", "length") VALUES
    (1, 'default', '01a20887ee4a73b7986d658b707bd0ce', '01a20887ee8777d38bb8d6c4683d9452', 6),
    (2, 'default', '01a20887ee4a73b7986d658b707bd0ce', '01a20887ee8777d38bb8d6c5e9974d09', 3),
    (3, 'default', '01a20887ee4a73b7986d658b707bd0ce', '01a20887ee9775b3ba8aadaa44387ed5', 4),
    (4, 'default', '01a20887ee4a73b7986d658b707bd0ce', '01a20887ee9c75b585e5af1ea5a0b582', 8),
    (5, 'acme', '01a20887eec67064836557c2d9dadff8', '01a20887eeca75c5aa3d41ac9cf16fa7', 6),
    (6, 'acme', '01a20887eec67064836557c2d9dadff8', '01a20887eeca75c5aa3d41adfcfd4a24', 3),
    (7, 'acme', '01a20887eec67064836557c2d9dadff8', '01a20887eecd7575a9bd2330b7f1bfea', 4),
    (8, 'acme', '01a20887eec67064836557c2d9dadff8', '01a20887eed17576a3cdaeb3bbb634c5', 8);

INSERT INTO rag_embedding ("tenant_id", "space_id", "chunk_id", "dense", "half", "sparse") VALUES
    ('acme', '01a20887eec7773cb697fad3f077b8e0', '01a20887eeca75c5aa3d41ac9cf16fa7', X'0000803F0000000000000000', NULL, NULL),
    ('acme', '01a20887eec7773cb697fad3f077b8e0', '01a20887eeca75c5aa3d41adfcfd4a24', X'000000000000803F00000000', NULL, NULL),
    ('acme', '01a20887eec7773cb697fad3f077b8e0', '01a20887eecd7575a9bd2330b7f1bfea', X'00000000000000000000803F', NULL, NULL),
    ('default', '01a20887ee4b75518b286f91b22a22ff', '01a20887ee8777d38bb8d6c4683d9452', X'0000803F0000000000000000', NULL, NULL),
    ('default', '01a20887ee4b75518b286f91b22a22ff', '01a20887ee8777d38bb8d6c5e9974d09', X'000000000000803F00000000', NULL, NULL),
    ('default', '01a20887ee4b75518b286f91b22a22ff', '01a20887ee9775b3ba8aadaa44387ed5', X'00000000000000000000803F', NULL, NULL);

INSERT INTO rag_posting ("salt", "term", "chunk_key", "frequency", "length") VALUES
    (15141648, 118313114, 1, 1, 6),
    (15141648, 118313114, 2, 1, 3),
    (15141648, 158137622, 4, 1, 8),
    (15141648, 204080786, 2, 1, 3),
    (15141648, 216577943, 4, 1, 8),
    (15141648, 26077324, 4, 1, 8),
    (15141648, 288092373, 2, 1, 3),
    (15141648, 326297601, 3, 1, 4),
    (15141648, 345457871, 4, 1, 8),
    (15141648, 353133553, 4, 1, 8),
    (15141648, 374033761, 1, 2, 6),
    (15141648, 391822851, 4, 1, 8),
    (15141648, 416086279, 3, 1, 4),
    (15141648, 433403518, 1, 1, 6),
    (15141648, 491211111, 3, 1, 4),
    (15141648, 557278072, 4, 1, 8),
    (15141648, 712114334, 4, 1, 8),
    (15141648, 983902534, 1, 1, 6),
    (15141648, 988780008, 1, 1, 6),
    (15141648, 988780008, 3, 1, 4),
    (2859064, 118313114, 5, 1, 6),
    (2859064, 118313114, 6, 1, 3),
    (2859064, 158137622, 8, 1, 8),
    (2859064, 204080786, 6, 1, 3),
    (2859064, 216577943, 8, 1, 8),
    (2859064, 26077324, 8, 1, 8),
    (2859064, 288092373, 6, 1, 3),
    (2859064, 326297601, 7, 1, 4),
    (2859064, 345457871, 8, 1, 8),
    (2859064, 353133553, 8, 1, 8),
    (2859064, 374033761, 5, 2, 6),
    (2859064, 391822851, 8, 1, 8),
    (2859064, 416086279, 7, 1, 4),
    (2859064, 433403518, 5, 1, 6),
    (2859064, 491211111, 7, 1, 4),
    (2859064, 557278072, 8, 1, 8),
    (2859064, 712114334, 8, 1, 8),
    (2859064, 983902534, 5, 1, 6),
    (2859064, 988780008, 5, 1, 6),
    (2859064, 988780008, 7, 1, 4);

-- Rows that the code of this schema wrote. Never change them: there are such databases.

INSERT INTO rag_collection ("tenant_id", "id", "name", "language", "languages", "metadata", "salt", "generation", "analyzed_chunks", "average_length", "analyzed_at", "created_at") VALUES
    ('acme', '01a207028ce3715c8a23dbc40b563372', 'manual', 'en', '[]', '{}', 16429524, 1, 3, 4.66666666666666696272e+00, 1795413937387000, 1795413937379000),
    ('default', '01a207028c3670349788b9b8f977814a', 'manual', 'en', '[]', '{}', 11379855, 1, 3, 4.66666666666666696272e+00, 1795413937358000, 1795413937206000);

INSERT INTO rag_conversation ("tenant_id", "id", "thread_id", "user_id", "organisation_id", "collection", "title", "pinned", "metadata", "head", "leaf_id", "created_at", "last_activity") VALUES
    ('acme', '01a207028cef71659a3acdef113a68e1', 'chat-1', 'ada', NULL, NULL, NULL, 0, '{}', 2, '01a207028cef71659a3acdeebe6ec97e', 1795413937391000, 1795413937391000),
    ('default', '01a207028cdd7034a713d9c2671bbb78', 'chat-1', 'ada', NULL, NULL, NULL, 0, '{}', 2, '01a207028cd970078a45addf348dfe5e', 1795413937373000, 1795413937373000);

INSERT INTO rag_document ("tenant_id", "id", "collection_id", "source", "title", "doc_type", "version", "language", "content_hash", "metadata", "chunk_count", "created_at", "updated_at") VALUES
    ('acme', '01a207028ce677119a3a252f1f1f468f', '01a207028ce3715c8a23dbc40b563372', 'files.html', 'Files', 'guide', NULL, NULL, X'05F8712D1E84F1CD5136A2F2A958E3020A4174C3772FAC3C477558AA281B9779', '{"year":2024}', 2, 1795413937381000, 1795413937381000),
    ('acme', '01a207028ce9773890e431040b0c1e91', '01a207028ce3715c8a23dbc40b563372', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, X'A9F19ED7AAD04835056890F9FC2E22C0BD7572109919204A051F2B8CCB84A6A2', '{"year":2025}', 1, 1795413937386000, 1795413937386000),
    ('default', '01a207028cb6734d8ddaec20512d4a2e', '01a207028c3670349788b9b8f977814a', 'files.html', 'Files', 'guide', NULL, NULL, X'05F8712D1E84F1CD5136A2F2A958E3020A4174C3772FAC3C477558AA281B9779', '{"year":2024}', 2, 1795413937335000, 1795413937335000),
    ('default', '01a207028cc972ef856472df05beaacd', '01a207028c3670349788b9b8f977814a', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, X'A9F19ED7AAD04835056890F9FC2E22C0BD7572109919204A051F2B8CCB84A6A2', '{"year":2025}', 1, 1795413937352000, 1795413937352000);

INSERT INTO rag_embedding_space ("tenant_id", "id", "collection_id", "model", "dimensions", "metric", "storage", "state", "index_method", "index_state", "index_options", "quantization", "search_effort", "backfilled_to", "activated_at", "retired_at", "created_at") VALUES
    ('acme', '01a207028ce470838cb070affa591c50', '01a207028ce3715c8a23dbc40b563372', 'm', 3, 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, 1795413937379000, NULL, 1795413937379000),
    ('default', '01a207028c377471a2df4d4a5e87b813', '01a207028c3670349788b9b8f977814a', 'm', 3, 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, 1795413937207000, NULL, 1795413937207000);

INSERT INTO rag_message ("tenant_id", "id", "conversation_id", "seq", "parent_id", "client_id", "role", "status", "content", "parts", "metadata", "response_time", "model", "resolved_model", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost", "created_at") VALUES
    ('acme', '01a207028cef71659a3acded092ada41', '01a207028cef71659a3acdef113a68e1', 1, NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795413937391000),
    ('acme', '01a207028cef71659a3acdeebe6ec97e', '01a207028cef71659a3acdef113a68e1', 2, '01a207028cef71659a3acded092ada41', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{}', 0.8, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795413937391000),
    ('default', '01a207028cd970078a45adde902a58fd', '01a207028cdd7034a713d9c2671bbb78', 1, NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795413937373000),
    ('default', '01a207028cd970078a45addf348dfe5e', '01a207028cdd7034a713d9c2671bbb78', 2, '01a207028cd970078a45adde902a58fd', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{}', 0.8, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795413937373000);

INSERT INTO rag_term ("tenant_id", "collection_id", "term", "frequency", "idf") VALUES
    ('acme', '01a207028ce3715c8a23dbc40b563372', 118313114, 2, 4.70003629245735632391e-01),
    ('acme', '01a207028ce3715c8a23dbc40b563372', 204080786, 1, 9.80829253011726298616e-01),
    ('acme', '01a207028ce3715c8a23dbc40b563372', 374033761, 1, 9.80829253011726298616e-01),
    ('acme', '01a207028ce3715c8a23dbc40b563372', 416086279, 1, 9.80829253011726298616e-01),
    ('acme', '01a207028ce3715c8a23dbc40b563372', 433403518, 1, 9.80829253011726298616e-01),
    ('acme', '01a207028ce3715c8a23dbc40b563372', 491211111, 1, 9.80829253011726298616e-01),
    ('acme', '01a207028ce3715c8a23dbc40b563372', 828268700, 1, 9.80829253011726298616e-01),
    ('acme', '01a207028ce3715c8a23dbc40b563372', 929087020, 1, 9.80829253011726298616e-01),
    ('acme', '01a207028ce3715c8a23dbc40b563372', 983902534, 2, 4.70003629245735632391e-01),
    ('acme', '01a207028ce3715c8a23dbc40b563372', 988780008, 2, 4.70003629245735632391e-01),
    ('default', '01a207028c3670349788b9b8f977814a', 118313114, 2, 4.70003629245735632391e-01),
    ('default', '01a207028c3670349788b9b8f977814a', 204080786, 1, 9.80829253011726298616e-01),
    ('default', '01a207028c3670349788b9b8f977814a', 374033761, 1, 9.80829253011726298616e-01),
    ('default', '01a207028c3670349788b9b8f977814a', 416086279, 1, 9.80829253011726298616e-01),
    ('default', '01a207028c3670349788b9b8f977814a', 433403518, 1, 9.80829253011726298616e-01),
    ('default', '01a207028c3670349788b9b8f977814a', 491211111, 1, 9.80829253011726298616e-01),
    ('default', '01a207028c3670349788b9b8f977814a', 828268700, 1, 9.80829253011726298616e-01),
    ('default', '01a207028c3670349788b9b8f977814a', 929087020, 1, 9.80829253011726298616e-01),
    ('default', '01a207028c3670349788b9b8f977814a', 983902534, 2, 4.70003629245735632391e-01),
    ('default', '01a207028c3670349788b9b8f977814a', 988780008, 2, 4.70003629245735632391e-01);

INSERT INTO rag_chunk ("tenant_id", "id", "collection_id", "document_id", "chunk_index", "content", "content_hash", "language", "metadata", "start_offset", "end_offset", "page", "heading", "embedding_id", "created_at") VALUES
    ('acme', '01a207028ce677119a3a25300903368a', '01a207028ce3715c8a23dbc40b563372', '01a207028ce677119a3a252f1f1f468f', 0, 'Call open() with a path to open a file for reading.', X'0103689A017CFFAE0FF77BF32BC2AD3CC91C7218C62817E3ABDCB5D788AFA0AA', 'en', '{}', NULL, NULL, NULL, 'Opening', NULL, 1795413937381000),
    ('acme', '01a207028ce677119a3a2531f136422f', '01a207028ce3715c8a23dbc40b563372', '01a207028ce677119a3a252f1f1f468f', 1, 'Call close() when you are done with the file.', X'6AF91DF21B321981FC9BE0379B69B53816A85BE32249F33C7D6F0A698C7398BF', 'en', '{}', NULL, NULL, 2, 'Closing', NULL, 1795413937381000),
    ('acme', '01a207028cea77e2bc50b34164dc1893', '01a207028ce3715c8a23dbc40b563372', '01a207028ce9773890e431040b0c1e91', 0, 'A Path joins directories with a slash.', X'1651DC57C507ECE1834F390AD68BADF4D5EC35B344AD2E5DA78F3FCBE6E874FE', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795413937386000),
    ('default', '01a207028cb770faa34085e0eb6cac2a', '01a207028c3670349788b9b8f977814a', '01a207028cb6734d8ddaec20512d4a2e', 0, 'Call open() with a path to open a file for reading.', X'0103689A017CFFAE0FF77BF32BC2AD3CC91C7218C62817E3ABDCB5D788AFA0AA', 'en', '{}', NULL, NULL, NULL, 'Opening', NULL, 1795413937336000),
    ('default', '01a207028cb770faa34085e1fedb2e38', '01a207028c3670349788b9b8f977814a', '01a207028cb6734d8ddaec20512d4a2e', 1, 'Call close() when you are done with the file.', X'6AF91DF21B321981FC9BE0379B69B53816A85BE32249F33C7D6F0A698C7398BF', 'en', '{}', NULL, NULL, 2, 'Closing', NULL, 1795413937336000),
    ('default', '01a207028cc972ef856472e0feb6175d', '01a207028c3670349788b9b8f977814a', '01a207028cc972ef856472df05beaacd', 0, 'A Path joins directories with a slash.', X'1651DC57C507ECE1834F390AD68BADF4D5EC35B344AD2E5DA78F3FCBE6E874FE', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795413937353000);

INSERT INTO rag_citation ("tenant_id", "message_id", "rank", "chunk_id", "document_id", "collection", "source", "title", "snippet", "score", "start_offset", "end_offset", "page", "heading") VALUES
    ('acme', '01a207028cef71659a3acdeebe6ec97e', 1, '01a207028ce677119a3a25300903368a', '01a207028ce677119a3a252f1f1f468f', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', 3.27868852459016410505e-02, NULL, NULL, NULL, 'Opening'),
    ('acme', '01a207028cef71659a3acdeebe6ec97e', 2, '01a207028ce677119a3a2531f136422f', '01a207028ce677119a3a252f1f1f468f', 'manual', 'files.html', 'Files', 'Call close() when you are done with the file.', 3.22580645161290313627e-02, NULL, NULL, 2, 'Closing'),
    ('default', '01a207028cd970078a45addf348dfe5e', 1, '01a207028cb770faa34085e0eb6cac2a', '01a207028cb6734d8ddaec20512d4a2e', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', 3.27868852459016410505e-02, NULL, NULL, NULL, 'Opening'),
    ('default', '01a207028cd970078a45addf348dfe5e', 2, '01a207028cb770faa34085e1fedb2e38', '01a207028cb6734d8ddaec20512d4a2e', 'manual', 'files.html', 'Files', 'Call close() when you are done with the file.', 3.22580645161290313627e-02, NULL, NULL, 2, 'Closing');

INSERT INTO rag_feedback ("tenant_id", "message_id", "user_id", "value", "comment", "updated_at") VALUES
    ('acme', '01a207028cef71659a3acdeebe6ec97e', 'ada', 1, NULL, 1795413937392000),
    ('default', '01a207028cd970078a45addf348dfe5e', 'ada', 1, NULL, 1795413937379000);

INSERT INTO rag_feedback_change ("tenant_id", "id", "message_id", "user_id", "value", "comment", "created_at") VALUES
    ('acme', '01a207028cf07597842eede295366d57', '01a207028cef71659a3acdeebe6ec97e', 'ada', -1, NULL, 1795413937392000),
    ('acme', '01a207028cf07597842eede3c1c12832', '01a207028cef71659a3acdeebe6ec97e', 'ada', 1, NULL, 1795413937392000),
    ('default', '01a207028ce277c197db3e0fad58694f', '01a207028cd970078a45addf348dfe5e', 'ada', -1, NULL, 1795413937378000),
    ('default', '01a207028ce3715c8a23dbc3fa719921', '01a207028cd970078a45addf348dfe5e', 'ada', 1, NULL, 1795413937379000);

INSERT INTO rag_chunk_key ("key", "tenant_id", "collection_id", "chunk_id", "length") VALUES
    (1, 'default', '01a207028c3670349788b9b8f977814a', '01a207028cb770faa34085e0eb6cac2a', 6),
    (2, 'default', '01a207028c3670349788b9b8f977814a', '01a207028cb770faa34085e1fedb2e38', 4),
    (3, 'default', '01a207028c3670349788b9b8f977814a', '01a207028cc972ef856472e0feb6175d', 4),
    (4, 'acme', '01a207028ce3715c8a23dbc40b563372', '01a207028ce677119a3a25300903368a', 6),
    (5, 'acme', '01a207028ce3715c8a23dbc40b563372', '01a207028ce677119a3a2531f136422f', 4),
    (6, 'acme', '01a207028ce3715c8a23dbc40b563372', '01a207028cea77e2bc50b34164dc1893', 4);

INSERT INTO rag_embedding ("tenant_id", "space_id", "chunk_id", "dense", "half", "sparse") VALUES
    ('acme', '01a207028ce470838cb070affa591c50', '01a207028ce677119a3a25300903368a', X'0000803F0000000000000000', NULL, NULL),
    ('acme', '01a207028ce470838cb070affa591c50', '01a207028ce677119a3a2531f136422f', X'000000000000803F00000000', NULL, NULL),
    ('acme', '01a207028ce470838cb070affa591c50', '01a207028cea77e2bc50b34164dc1893', X'00000000000000000000803F', NULL, NULL),
    ('default', '01a207028c377471a2df4d4a5e87b813', '01a207028cb770faa34085e0eb6cac2a', X'0000803F0000000000000000', NULL, NULL),
    ('default', '01a207028c377471a2df4d4a5e87b813', '01a207028cb770faa34085e1fedb2e38', X'000000000000803F00000000', NULL, NULL),
    ('default', '01a207028c377471a2df4d4a5e87b813', '01a207028cc972ef856472e0feb6175d', X'00000000000000000000803F', NULL, NULL);

INSERT INTO rag_posting ("salt", "term", "chunk_key", "frequency", "length") VALUES
    (11379855, 118313114, 1, 1, 6),
    (11379855, 118313114, 2, 1, 4),
    (11379855, 204080786, 2, 1, 4),
    (11379855, 374033761, 1, 2, 6),
    (11379855, 416086279, 3, 1, 4),
    (11379855, 433403518, 1, 1, 6),
    (11379855, 491211111, 3, 1, 4),
    (11379855, 828268700, 2, 1, 4),
    (11379855, 929087020, 3, 1, 4),
    (11379855, 983902534, 1, 1, 6),
    (11379855, 983902534, 2, 1, 4),
    (11379855, 988780008, 1, 1, 6),
    (11379855, 988780008, 3, 1, 4),
    (16429524, 118313114, 4, 1, 6),
    (16429524, 118313114, 5, 1, 4),
    (16429524, 204080786, 5, 1, 4),
    (16429524, 374033761, 4, 2, 6),
    (16429524, 416086279, 6, 1, 4),
    (16429524, 433403518, 4, 1, 6),
    (16429524, 491211111, 6, 1, 4),
    (16429524, 828268700, 5, 1, 4),
    (16429524, 929087020, 6, 1, 4),
    (16429524, 983902534, 4, 1, 6),
    (16429524, 983902534, 5, 1, 4),
    (16429524, 988780008, 4, 1, 6),
    (16429524, 988780008, 6, 1, 4);

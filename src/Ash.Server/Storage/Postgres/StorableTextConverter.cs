using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Ash.Server.Storage.Postgres;

internal sealed class StorableTextConverter() : ValueConverter<string, string>(
    text => StorableText.Of(text),
    stored => stored);

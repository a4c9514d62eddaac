using Ash.Server.Credentials;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Access;

/// <summary>Stores now and then when keys and credentials were last used; once more as the server stops.</summary>
internal sealed partial class LastUseWriter(
    ApiKeys keys, CredentialStore credentials, StoreWriter writer, TimeProvider clock, ILogger<LastUseWriter> logger)
    : Sweeper(TimeSpan.FromMinutes(1), clock)
{
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await SweepAsync(cancellationToken);
        }
        catch (StoreException failure)
        {
            LogSweepFailed(failure);
        }
    }

    internal override async Task SweepAsync(CancellationToken cancellationToken)
    {
        var (ofKeys, ofCredentials) = (keys.LastUses.Unwritten, credentials.LastUses.Unwritten);
        if (ofKeys.Count == 0 && ofCredentials.Count == 0)
        {
            return;
        }

        await writer.WriteAsync(Durability.Process, transaction =>
        {
            foreach (var (id, at) in ofKeys)
            {
                transaction.Db.ApiKeys.Where(key => key.Id == id)
                    .ExecuteUpdate(set => set.SetProperty(key => key.LastUsedAt, at));
            }

            foreach (var (id, at) in ofCredentials)
            {
                transaction.Db.Credentials.Where(credential => credential.Id == id)
                    .ExecuteUpdate(set => set.SetProperty(credential => credential.LastUsedAt, at));
            }
        });
        keys.LastUses.Written(ofKeys);
        credentials.LastUses.Written(ofCredentials);
    }

    [LoggerMessage(LogLevel.Warning, "Could not store when keys and credentials were last used; tried again in a minute")]
    protected override partial void LogSweepFailed(Exception failure);
}
